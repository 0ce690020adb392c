/// The training page's script: values at the pointer, and a page that follows the run. Nothing is lost without it.
enum TrainingScript {
  static let text = #"""
    (() => {
    "use strict";
    const run = document.getElementById("run");
    const epochs = run.dataset.epochs.split(" ").filter(Boolean).map(pair => pair.split(":").map(Number));

    // The step of a chart, and the epoch it belongs to.
    function place(step) {
      const found = epochs.find(([, end]) => step <= end);
      const epoch = found ? found[0] : epochs.length ? epochs[epochs.length - 1][0] + 1 : 1;
      return "step " + step + ", epoch " + epoch;
    }

    for (const figure of document.querySelectorAll(".charts figure")) {
      const svg = figure.querySelector("svg"), at = figure.querySelector(".at");
      const shown = [...figure.querySelectorAll(".value")], rest = shown.map(value => value.textContent);
      const lines = [...svg.querySelectorAll("[data-entry]")].map(line => ({
        entry: Number(line.dataset.entry), x: [...line.points].map(point => point.x),
        values: line.dataset.values.split("|").map(pair => pair.split(":")) }));
      const guide = document.createElementNS("http://www.w3.org/2000/svg", "line");
      guide.setAttribute("class", "guide");
      const box = svg.viewBox.baseVal;
      const nearest = (places, x) => places.reduce((best, place, index) =>
        Math.abs(place - x) < Math.abs(places[best] - x) ? index : best, 0);
      svg.addEventListener("pointermove", event => {
        const outer = svg.getBoundingClientRect();
        const x = (event.clientX - outer.left) / outer.width * box.width;
        let closest = null;
        for (const line of lines) {
          const index = nearest(line.x, x), [step, value] = line.values[index];
          shown[line.entry].textContent = value;
          if (!closest || Math.abs(line.x[index] - x) < Math.abs(closest.x - x)) closest = { x: line.x[index], step };
        }
        if (!closest) return;
        at.textContent = place(Number(closest.step));
        for (const [name, value] of [["x1", closest.x], ["x2", closest.x], ["y1", 12], ["y2", box.height - 40]])
          guide.setAttribute(name, value);
        svg.append(guide);
      });
      svg.addEventListener("pointerleave", () => {
        shown.forEach((value, index) => { value.textContent = rest[index]; });
        at.textContent = "latest";
        guide.remove();
      });
    }

    const memory = {
      get(name) { try { return sessionStorage.getItem(name); } catch { return null; } },
      set(name, value) { try { sessionStorage.setItem(name, value); } catch { /* Not kept, then. */ } } };
    for (const details of document.querySelectorAll("details[id]")) {
      const kept = memory.get(details.id);
      if (kept !== null) details.open = kept === "open";
      details.addEventListener("toggle", () => memory.set(details.id, details.open ? "open" : "closed"));
    }
    if (run.dataset.running === "true") {
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = memory.get("follow") !== "no";
      box.addEventListener("change", () => memory.set("follow", box.checked ? "yes" : "no"));
      const label = document.createElement("label");
      label.className = "follow";
      label.append(box, "reload every half minute");
      document.querySelector(".status").append(label);
      setInterval(() => { if (box.checked && !document.hidden) location.reload(); }, 30000);
    }
    document.documentElement.dataset.ready = document.querySelectorAll(".card").length;
    })();
    """#
}

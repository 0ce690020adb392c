/// The script of a service's page: sends photos, shows what comes back. What the service says is set as text, never as HTML.
enum ServiceScript {
  static let text = #"""
    (() => {
    "use strict";
    const at = id => document.getElementById(id);
    const number = (value, digits) => value.toFixed(digits).replace("-", "\u2212");
    const space = "http://www.w3.org/2000/svg";
    let asked = 0;
    let answered = 0;
    let failed = 0;

    function el(name, className, ...children) {
      const element = document.createElement(name);
      if (className) element.className = className;
      element.append(...children);
      return element;
    }

    // Dark is what counts little; the grid lies on what the network saw of the photo.
    function veil(image, explanation, index) {
      const weights = explanation.weights[index];
      const most = Math.max(...weights);
      const svg = document.createElementNS(space, "svg");
      svg.setAttribute("viewBox", "0 0 " + explanation.columns + " " + explanation.rows);
      svg.setAttribute("preserveAspectRatio", "none");
      weights.forEach((weight, cell) => {
        const rect = document.createElementNS(space, "rect");
        rect.setAttribute("x", cell % explanation.columns);
        rect.setAttribute("y", Math.floor(cell / explanation.columns));
        rect.setAttribute("width", 1.02);
        rect.setAttribute("height", 1.02);
        rect.setAttribute("opacity", (most > 0 ? 0.78 * (1 - weight / most) : 0.78).toFixed(2));
        svg.append(rect);
      });
      const crop = explanation.crop;
      const short = Math.min(image.naturalWidth, image.naturalHeight);
      const width = crop ? crop.width / crop.short_side * short / image.naturalWidth : 1;
      const height = crop ? crop.height / crop.short_side * short / image.naturalHeight : 1;
      svg.style.width = 100 * width + "%";
      svg.style.height = 100 * height + "%";
      svg.style.left = 50 * (1 - width) + "%";
      svg.style.top = 50 * (1 - height) + "%";
      return svg;
    }

    // The bar under a word: 4 pixels a nat.
    function sentence(caption, explanation, frame) {
      const line = el("p", "words");
      const buttons = [];
      caption.words.slice(0, -1).forEach((word, index) => {
        const surprise = Math.max(0, -word.log_prob);
        const bar = el("i");
        bar.style.height = Math.min(28, surprise * 4).toFixed(1) + "px";
        const kind = "word" + (surprise > 2.3 ? " odd" : "");
        const hint = "p = " + Math.exp(word.log_prob).toPrecision(2);
        let element;
        if (explanation) {
          element = el("button", kind, word.word, bar);
          element.type = "button";
          element.setAttribute("aria-pressed", "false");
          element.setAttribute("aria-label", word.word + ", " + hint + ": show where the model looks");
          element.addEventListener("click", () => {
            const shown = element.getAttribute("aria-pressed") === "true";
            frame.querySelectorAll("svg").forEach(svg => svg.remove());
            buttons.forEach(button => button.setAttribute("aria-pressed", "false"));
            if (shown) return;
            element.setAttribute("aria-pressed", "true");
            frame.append(veil(frame.querySelector("img"), explanation, index));
          });
          buttons.push(element);
        } else {
          element = el("span", kind, word.word, bar);
        }
        element.title = hint;
        line.append(element, " ");
      });
      return line;
    }

    function others(captions) {
      const items = captions.map(caption => {
        const value = el("span", "", number(caption.log_prob, 2));
        value.title = "log-prob";
        return el("li", "", el("span", "", caption.caption), value);
      });
      return [el("h3", "file", "Other captions, with log-probs"), el("ul", "lines", ...items)];
    }

    async function copy(text, button) {
      try {
        await navigator.clipboard.writeText(text);
        say("Copied: " + text);
      } catch {
        const area = el("textarea", "", text);
        document.body.append(area);
        area.select();
        document.execCommand("copy");
        area.remove();
        button.focus();
        say("Copied: " + text);
      }
    }

    const say = text => { at("status").textContent = text; };

    function show(body, frame, result, name) {
      const best = result.captions[0];
      const facts = el("ul", "facts");
      const fact = (label, value) => facts.append(el("li", "", el("b", "", value), " " + label));
      if (best.confidence !== undefined) fact("confidence", number(best.confidence, 2));
      fact("log-prob", number(best.log_prob, 2));
      fact("per word", number(best.normalized_log_prob, 2));
      const button = el("button", "copy", "Copy as alt text");
      button.type = "button";
      button.addEventListener("click", () => copy(best.caption, button));
      frame.querySelector("img").alt = best.caption;
      body.replaceChildren(sentence(best, result.explanation, frame), facts);
      if (result.captions.length > 1) body.append(...others(result.captions.slice(1)));
      body.append(button, el("p", "file", name));
    }

    function progress() {
      const open = asked - answered - failed;
      say((open ? "Captioning " + open + " of " + asked + ". " : "") + answered + " captioned" +
        (failed ? ", " + failed + " failed" : "") + ".");
      if (!open) document.documentElement.dataset.ready = answered + failed;
    }

    async function ask(file, body, frame) {
      const count = Number(at("count").value);
      const query = new URLSearchParams({ captions: count, beam_width: Math.max(3, count) });
      if (at("looks").checked) query.set("explain", "true");
      const headers = { "Content-Type": file.type || "application/octet-stream" };
      if (at("token").value) headers.Authorization = "Bearer " + at("token").value;
      try {
        const response = await fetch("v1/captions?" + query, { method: "POST", body: file, headers });
        const answer = await response.json();
        if (response.status === 401) {
          at("access").hidden = false;
          at("token").focus();
        }
        if (!response.ok) throw new Error(answer.detail || response.statusText);
        show(body, frame, answer.results[0], file.name || "pasted photo");
        answered += 1;
      } catch (error) {
        failed += 1;
        const line = el("p", "error", error.message);
        line.setAttribute("role", "alert");
        const again = el("button", "", "Try again");
        again.type = "button";
        again.addEventListener("click", () => {
          failed -= 1;
          body.replaceChildren(el("p", "note", "…"));
          ask(file, body, frame);
          progress();
        });
        body.replaceChildren(line, again, el("p", "file", file.name || "pasted photo"));
      }
      progress();
    }

    // A few at a time: more would only wait elsewhere.
    const waiting = [];
    let working = 0;
    async function work() {
      if (working >= 4) return;
      working += 1;
      while (waiting.length) await waiting.shift()();
      working -= 1;
    }

    function add(files) {
      for (const file of files) {
        asked += 1;
        const image = el("img");
        image.alt = "";
        image.src = URL.createObjectURL(file);
        image.addEventListener("error", () => frame.replaceChildren(el("div", "none", "no picture"), image));
        const frame = el("div", "frame", image);
        const body = el("div", "body", el("p", "note", "…"));
        at("cards").prepend(el("article", "card", frame, body));
        at("results").hidden = false;
        waiting.push(() => ask(file, body, frame));
        work();
      }
      progress();
    }

    at("form").addEventListener("submit", event => event.preventDefault());
    at("files").addEventListener("change", () => {
      add([...at("files").files]);
      at("files").value = "";
    });
    addEventListener("dragover", event => {
      event.preventDefault();
      at("drop").classList.add("over");
    });
    addEventListener("dragleave", () => at("drop").classList.remove("over"));
    addEventListener("drop", event => {
      event.preventDefault();
      at("drop").classList.remove("over");
      add([...event.dataTransfer.files]);
    });
    addEventListener("paste", event => {
      const files = [...event.clipboardData.files];
      if (files.length) add(files);
    });
    document.documentElement.dataset.ready = 0;
    })();
    """#
}

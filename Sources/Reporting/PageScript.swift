/// The page's script: fills the gallery from the data in the page. What comes from files is set as text, never as HTML.
enum PageScript {
  static let text = #"""
    (() => {
    "use strict";
    const data = JSON.parse(document.getElementById("data").textContent);
    const rows = data.rows;
    const at = id => document.getElementById(id);
    const minus = text => text.replace("-", "\u2212");
    const number = (value, digits) => minus(value.toFixed(digits));
    const nats = hundredths => number(hundredths / 100, 2);
    const words = line => line.w.slice(0, -1);
    const mean = line => line.t / line.w.length;

    function el(name, className, ...children) {
      const element = document.createElement(name);
      if (className) element.className = className;
      element.append(...children);
      return element;
    }

    // The bar under a word: 4 pixels a nat. Where it is known where the model looked, a word is a button that shows it.
    function captionOf(line, looks, show) {
      const element = el("p", "words");
      line.w.forEach((word, index) => {
        const end = index === line.w.length - 1;
        const surprise = Math.max(0, -line.l[index] / 100);
        const bar = el("i");
        bar.style.height = Math.min(28, surprise * 4).toFixed(1) + "px";
        const look = looks && looks[index];
        const span = el(look ? "button" : "span", "word" + (surprise > 2.3 ? " odd" : "") + (end ? " end" : ""), end ? "\u00b7" : word, bar);
        span.title = (end ? "end" : word) + ": log-prob " + nats(line.l[index]) + ", p = " +
          Math.exp(line.l[index] / 100).toPrecision(2);
        if (look) {
          span.type = "button";
          span.title += "; looked: " + (data.looks.attends ? (look.m / 10).toFixed(0) + " % at most" :
            number(look.m / 1000, 1) + " nats");
          if (end) span.setAttribute("aria-label", "end");
          span.addEventListener("pointerenter", () => show(look));
          span.addEventListener("pointerleave", () => show(null));
          span.addEventListener("focus", () => show(look));
          span.addEventListener("blur", () => show(null));
          span.addEventListener("click", () => show(look));
        } else if (end) span.setAttribute("aria-hidden", "true");
        element.append(span, end ? "" : " ");
      });
      return element;
    }

    function list(title, lines) {
      const items = lines.map(([text, value, hint]) => {
        const figure = el("span", "", value);
        figure.title = hint;
        return el("li", "", el("span", "", text), figure);
      });
      return [el("h4", "", title), el("ul", "lines", ...items)];
    }

    // The photo and a veil over it, thin where the model looked: a pixel a cell, which the browser smooths.
    function veiled(picture) {
      const {rows, columns, crop} = data.looks;
      const veil = el("canvas", "veil");
      veil.width = columns;
      veil.height = rows;
      veil.hidden = true;
      const context = veil.getContext("2d");
      const show = look => {
        veil.hidden = !look;
        if (!look) return;
        if (crop && picture.naturalWidth) {
          const short = Math.min(picture.naturalWidth, picture.naturalHeight);
          const width = 100 * crop[0] * short / picture.naturalWidth, height = 100 * crop[1] * short / picture.naturalHeight;
          Object.assign(veil.style, {width: width + "%", height: height + "%", left: (100 - width) / 2 + "%",
            top: (100 - height) / 2 + "%"});
        }
        const cells = context.createImageData(columns, rows);
        for (let cell = 0; cell < rows * columns; cell++) {
          cells.data[4 * cell + 3] = 199 * (1 - parseInt(look.b[cell], 36) / 35);
        }
        context.putImageData(cells, 0, 0);
      };
      return [el("div", "seen", picture, veil), show];
    }

    function card(row) {
      const best = row.c[0];
      let picture;
      if (row.s) {
        picture = el("img");
        picture.loading = "lazy";
        picture.alt = "Photo captioned: " + words(best).join(" ");
        picture.src = row.s;
      } else {
        picture = el("div", "none", "no picture");
      }
      const facts = el("ul", "facts");
      const fact = (name, value) => facts.append(el("li", "", el("b", "", value), " " + name));
      fact("CIDEr", number(row.m[0] / 10, 0));
      fact("BLEU-4", number(row.m[2] / 10, 0));
      fact("ROUGE-L", number(row.m[1] / 10, 0));
      if (row.p !== undefined) fact("confidence", number(row.p / 1000, 2));
      fact("log-prob", nats(best.t));
      fact("per word", nats(mean(best)));
      let show;
      if (row.e && row.s) [picture, show] = veiled(picture);
      const body = el("div", "body", captionOf(best, show && row.e, show), facts);
      if (row.c.length > 1) {
        body.append(...list("Other captions",
          row.c.slice(1).map(line => [words(line).join(" "), nats(line.t), "log-prob"])));
      }
      body.append(...list("References", row.r.map(line => [line.x, nats(line.n), "log-prob per word"])));
      body.append(el("p", "file", row.f));
      return el("article", "card", picture, body);
    }

    // The three strips.
    const ranked = rows.slice().sort((a, b) => b.m[0] - a.m[0] || a.c[0].t - b.c[0].t);
    const strip = Math.min(6, Math.max(1, Math.floor(ranked.length / 3)));
    const middle = Math.max(0, Math.floor((ranked.length - strip) / 2));
    at("best").append(...ranked.slice(0, strip).map(card));
    at("middle").append(...ranked.slice(middle, middle + strip).map(card));
    at("worst").append(...ranked.slice(-strip).reverse().map(card));

    // All photos.
    const typical = ranked.length ? ranked[Math.floor(ranked.length / 2)].m[0] : 0;
    const order = (value, sign) => (a, b) => sign * (value(a) - value(b));
    const sorts = [
      ["order of the file", null],
      ["CIDEr, best first", order(row => row.m[0], -1)],
      ["CIDEr, worst first", order(row => row.m[0], 1)],
      ["CIDEr, most typical first", order(row => Math.abs(row.m[0] - typical), 1)],
      ["log-prob per word, highest first", order(row => mean(row.c[0]), -1)],
      ["log-prob per word, lowest first", order(row => mean(row.c[0]), 1)],
      ["length, longest first", order(row => row.c[0].w.length, -1)],
      ["references, least expected first", order(row => row.r.reduce((sum, line) => sum + line.n, 0) / Math.max(1, row.r.length), 1)],
    ];
    const filters = [["all", () => true]];
    if (data.threshold !== undefined) {
      const good = row => row.m[0] >= data.threshold;
      const mark = number(data.threshold / 10, 0);
      const sure = row => row.p >= 500;
      sorts.push(["confidence, highest first", order(row => row.p, -1)], ["confidence, lowest first", order(row => row.p, 1)]);
      filters.push(["good: CIDEr " + mark + " or more", good], ["not good: CIDEr under " + mark, row => !good(row)],
        ["sure but not good", row => sure(row) && !good(row)], ["unsure but good", row => !sure(row) && good(row)]);
    }
    filters.push(["CIDEr 0", row => row.m[0] === 0]);
    const fill = (select, options) => options.forEach(([name], index) => select.append(new Option(name, index)));
    fill(at("sort"), sorts);
    fill(at("show"), filters);
    const texts = new Map(rows.map(row => [row,
      (row.c.map(line => words(line).join(" ")).join("\n") + "\n" + row.r.map(line => line.x).join("\n") + "\n" + row.f)
        .toLowerCase()]));

    const page = 24;
    let found = [];
    let visible = 0;
    function more() {
      const next = found.slice(visible, visible + page);
      at("all").append(...next.map(card));
      visible += next.length;
      at("more").hidden = visible >= found.length;
    }
    function update() {
      const wanted = at("find").value.toLowerCase().split(/\s+/).filter(word => word);
      const passes = filters[at("show").value][1];
      const compare = sorts[at("sort").value][1];
      found = rows.filter(row => passes(row) && wanted.every(word => texts.get(row).includes(word)));
      if (compare) found.sort(compare);
      at("count").value = found.length === rows.length ? rows.length + " photos" : found.length + " of " + rows.length + " photos";
      at("all").replaceChildren();
      visible = 0;
      more();
    }
    at("more").addEventListener("click", more);
    at("controls").addEventListener("input", update);
    at("controls").addEventListener("submit", event => event.preventDefault());
    update();
    document.documentElement.dataset.ready = rows.length;
    })();
    """#
}

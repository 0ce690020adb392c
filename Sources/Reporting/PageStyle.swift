/// The page's style sheet.
enum PageStyle {
  static let text = """
    :root {
      --paper: #fbfaf7; --card: #ffffff; --ink: #1d2024; --soft: #5d646d; --rule: #e2dfd8;
      --accent: #1f6f8b; --faint: #e3ecee; --warm: #b8532d;
      --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", P052, Georgia, "Liberation Serif", serif;
      --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #14171a; --card: #1c2024; --ink: #e9e7e2; --soft: #a3abb3; --rule: #31363c;
        --accent: #6cb9d2; --faint: #25343a; --warm: #e8926c;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body { margin: 0 auto; padding: 0 clamp(1rem, 4vw, 3rem) 4rem; max-width: 84rem; background: var(--paper);
      color: var(--ink); font: 15px/1.5 var(--sans); }
    header { padding: 3.5rem 0 1.5rem; border-bottom: 1px solid var(--rule); }
    .kicker { margin: 0; color: var(--accent); font-size: .8rem; letter-spacing: .12em; text-transform: uppercase; }
    h1 { margin: .2rem 0 .3rem; font: 600 clamp(1.9rem, 4.5vw, 3rem)/1.12 var(--serif); letter-spacing: -.01em;
      overflow-wrap: anywhere; }
    .subtitle { margin: 0; color: var(--soft); max-width: 60rem; overflow-wrap: anywhere; }
    .headline { display: flex; flex-wrap: wrap; gap: .6rem 2.4rem; margin: 1.6rem 0 0; padding: 0; list-style: none;
      color: var(--soft); }
    .headline strong { display: block; font: 600 1.75rem/1.2 var(--serif); color: var(--ink);
      font-variant-numeric: lining-nums tabular-nums; }
    h2 { margin: 2.6rem 0 1rem; font: 600 1.5rem/1.2 var(--serif); }
    h3 { margin: 2rem 0 .8rem; font: 600 1.1rem/1.2 var(--serif); }
    .note { max-width: 46rem; margin: 0 0 1rem; color: var(--soft); }
    .tables { display: flex; flex-wrap: wrap; gap: 1.5rem 3.5rem; align-items: flex-start; }
    .scroll { overflow-x: auto; max-width: 100%; }
    .tables + .scroll { margin-top: 1.5rem; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    caption { padding-bottom: .4rem; color: var(--soft); text-align: left; }
    th, td { padding: .26rem 0 .26rem 1.6rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
    th:first-child { padding-left: 0; text-align: left; }
    th { font-weight: 400; } thead th { color: var(--soft); font-size: .85rem; }
    .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1.5rem 2.5rem; }
    figure { margin: 0; min-width: 0; }
    figcaption { margin-bottom: .4rem; font: 600 1.05rem/1.3 var(--serif); }
    svg { display: block; width: 100%; height: auto; }
    .tick { fill: var(--soft); font: 11.5px var(--sans); font-variant-numeric: tabular-nums; }
    .grid { stroke: var(--rule); } .bar { fill: var(--accent); fill-opacity: .55; } .faint { fill: var(--faint); }
    .outline { fill: none; stroke: var(--warm); stroke-width: 1.6; stroke-linejoin: round; }
    .curve { fill: none; stroke: var(--accent); stroke-width: 1.8; } circle.dot { fill: var(--accent); }
    .ideal { fill: none; stroke: var(--soft); stroke-dasharray: 3 4; }
    .legend { margin: .3rem 0 0; color: var(--soft); font-size: .86rem; }
    .key { display: inline-block; width: .8em; height: .8em; margin: 0 .15em 0 .5em; vertical-align: -.05em; }
    .key:first-child { margin-left: 0; }
    .key.fill { background: var(--accent); opacity: .55; } .key.faint { background: var(--faint); }
    .key.dot { border-radius: 50%; background: var(--accent); }
    .key.stroke { height: 0; border-top: 2px solid var(--warm); vertical-align: .25em; }
    .cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 1.1rem; }
    .card { display: flex; flex-direction: column; min-width: 0; background: var(--card); border: 1px solid var(--rule);
      border-radius: 6px; overflow: hidden; }
    .card img, .card .none { display: block; width: 100%; height: auto; aspect-ratio: auto 4 / 3; background: var(--faint); }
    .card .none { display: grid; place-items: center; color: var(--soft); }
    .body { padding: .9rem 1rem 1rem; }
    .words { display: flex; flex-wrap: wrap; align-items: flex-start; gap: .3rem .38rem; margin: 0; font: 1.12rem/1.25 var(--serif); }
    .word { display: inline-flex; flex-direction: column; max-width: 100%; overflow-wrap: anywhere; }
    .word i { display: block; min-height: 1px; margin-top: 2px; border-radius: 1px; background: var(--accent); opacity: .75; }
    .word.odd i { background: var(--warm); } .word.end { min-width: .7rem; color: var(--soft); }
    button.word { padding: 0; border: 0; border-radius: 2px; background: none; font: inherit; text-align: left; }
    button.word:hover, button.word:focus { background: var(--faint); }
    .seen { position: relative; overflow: hidden; }
    .veil { position: absolute; inset: 0; width: 100%; height: 100%; box-shadow: 0 0 0 100rem rgb(0 0 0 / .78); }
    .facts { display: flex; flex-wrap: wrap; gap: .1rem .9rem; margin: .6rem 0 0; padding: 0; color: var(--soft);
      font-size: .82rem; font-variant-numeric: tabular-nums; list-style: none; }
    .facts b { color: var(--ink); font-weight: 600; }
    .card h4 { margin: .8rem 0 .15rem; color: var(--soft); font: 400 .75rem/1.2 var(--sans); letter-spacing: .06em;
      text-transform: uppercase; }
    .lines { margin: 0; padding: 0; list-style: none; font-size: .88rem; line-height: 1.35; }
    .lines li { display: flex; justify-content: space-between; gap: .8rem; padding: .14rem 0; overflow-wrap: anywhere; }
    .lines span:last-child { flex: none; color: var(--soft); font-variant-numeric: tabular-nums; }
    .file { margin: .7rem 0 0; color: var(--soft); font-size: .74rem; overflow-wrap: anywhere; }
    .controls { display: flex; flex-wrap: wrap; gap: .7rem 1.4rem; align-items: center; margin: 0 0 1rem; }
    .controls label { display: flex; gap: .5rem; align-items: center; color: var(--soft); }
    input, select, button { padding: .4rem .6rem; border: 1px solid var(--rule); border-radius: 5px;
      background: var(--card); color: var(--ink); font: inherit; min-width: 0; }
    input { width: 17rem; max-width: 100%; } button { padding: .5rem 1.4rem; cursor: pointer; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
    output { color: var(--soft); } .more { text-align: center; margin: 1.6rem 0; }
    [hidden] { display: none; }
    @media (max-width: 40rem) { .controls label { width: 100%; } .controls input, .controls select { flex: 1; } }
    @media print { .controls, .more { display: none; } .card { break-inside: avoid; } }
    """
}

/// The training page's rules beside the common ones.
enum TrainingStyle {
  static let text = """
    .status { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; margin: .8rem 0 .7rem; color: var(--soft);
      overflow-wrap: anywhere; }
    .state { padding: .12rem .7rem; border: 1px solid currentColor; border-radius: 1rem; font-size: .86rem; font-weight: 600; }
    .state::before { content: ""; display: inline-block; width: .55em; height: .55em; margin-right: .5em; background: currentColor; }
    .state.running { color: var(--accent); } .state.running::before { border-radius: 50%; }
    .state.stopped { color: var(--warm); } .state.finished { color: var(--ink); }
    .state.finished::before { content: "✓"; width: auto; height: auto; background: none; }
    progress { display: block; width: 100%; height: .4rem; border: 0; border-radius: .2rem; overflow: hidden;
      background: var(--rule); color: var(--accent); appearance: none; }
    progress::-webkit-progress-bar { background: var(--rule); } progress::-webkit-progress-value { background: var(--accent); }
    progress::-moz-progress-bar { background: var(--accent); }
    .headline small { display: block; font-size: .8rem; font-variant-numeric: tabular-nums; }
    .warning { margin: 1.4rem 0 0; padding-left: .8rem; border-left: 3px solid var(--warm); }
    .charts { row-gap: 2.2rem; } .charts .tick { font-size: 13px; }
    .charts figure { position: relative; display: flex; flex-direction: column; }
    .charts svg { order: 3; margin-top: auto; overflow: visible; touch-action: pan-y; } .charts .legend { order: 2; margin: 0 0 .3rem; min-height: 1.5em; }
    .legend .item { margin-right: .9em; white-space: nowrap; } .legend b { color: var(--ink); font-weight: 600;
      font-variant-numeric: tabular-nums; } .legend .at { position: absolute; top: .15rem; right: 0; font-size: .82rem;
      white-space: nowrap; font-variant-numeric: tabular-nums; }
    .key.line { width: 1.3em; height: 0; margin: 0 .35em 0 0; vertical-align: .28em; border-top: 2px solid var(--accent); }
    .key.line.outline { border-color: var(--warm); } .key.line.ideal { border-color: var(--soft); border-top-style: dashed; }
    .raw { fill: none; stroke: var(--accent); stroke-opacity: .35; stroke-width: 1; stroke-linejoin: round; }
    .curve, .outline { stroke-linejoin: round; } .outline { stroke-width: 1.8; }
    .curve-dot { fill: var(--accent); } .outline-dot { fill: var(--warm); } .ideal-dot { fill: var(--soft); }
    .rule { stroke: var(--soft); stroke-dasharray: 1 3; } .guide { stroke: var(--ink); stroke-width: .8; }
    .cards { grid-template-columns: repeat(auto-fill, minmax(min(100%, 18rem), 1fr)); align-items: start; }
    .card img, .card .none { height: 13rem; aspect-ratio: auto; object-fit: contain; }
    .said { margin: 0; font: 1.16rem/1.3 var(--serif); overflow-wrap: anywhere; }
    .card h3 { margin: .8rem 0 .15rem; color: var(--soft); font: 400 .75rem/1.2 var(--sans); letter-spacing: .06em;
      text-transform: uppercase; }
    .history { max-height: 17rem; margin: 0; padding: 0; overflow-y: auto; list-style: none; font-size: .88rem; line-height: 1.35; }
    .history li { display: grid; grid-template-columns: 1fr auto; column-gap: .6rem; padding: .3rem 0;
      border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
    .history li > :last-child { grid-column: 1 / -1; }
    .history li:first-child { border-top: 0; } .history .gap { display: block; color: var(--soft); text-align: center; }
    .history .when, .history .sure { color: var(--soft); font-size: .92em; font-variant-numeric: tabular-nums; white-space: nowrap; }
    .history .best .when { color: var(--ink); font-weight: 600; } abbr { text-decoration: none; }
    .history b, b.new { font-weight: inherit; text-decoration: underline; text-decoration-color: var(--warm);
      text-decoration-thickness: 2px; text-underline-offset: 3px; }
    details summary { padding: .3rem 0; color: var(--accent); cursor: pointer; } details .scroll { margin-top: .6rem; }
    .marked > * { background: var(--faint); } .marked th { font-weight: 600; }
    details th, details td { padding-left: 1.1rem; } thead th { vertical-align: bottom; }
    .options td { text-align: left; white-space: normal; overflow-wrap: anywhere; } .options th { text-align: left; }
    footer.note { max-width: none; } footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--rule); font-size: .86rem; }
    .follow { display: inline-flex; gap: .4rem; align-items: center; margin-left: auto; font-size: .86rem; }
    .follow input { width: auto; }
    @media (max-width: 40rem) { .headline { display: grid; grid-template-columns: repeat(3, 1fr); gap: .8rem 1rem; } }
    @media print { .history { max-height: none; } .follow { display: none; } }
    """
}

internal import Imaging

/// The page of a captioning service: photos go in by choice, drop or paste, captions come out. It asks nobody but the
/// service that it came from.
public struct ServicePage: Sendable {
  private let model: String

  /// A page.
  /// - Parameter model: the model's name.
  public init(model: String) { self.model = model }

  /// The page.
  public var html: String {
    HTML.document(
      title: "Captions", images: "blob: data:", connections: "'self'", style: Self.style,
      body: """
        <header>
        <p class="kicker">Captioner</p>
        <h1>What do your photos show?</h1>
        <p class="subtitle">Drop, paste or choose photos. They go to this service, whose model is \
        \(HTML.escaped(model)), and nowhere else.</p>
        </header>
        <main>
        <form id="form" class="entry">
        <div class="drop" id="drop">
        <label for="files" class="choose">Choose photos</label>
        <input type="file" id="files" accept="\(ImageReader.mediaTypes.joined(separator: ","))" multiple aria-describedby="ways">
        <p class="note" id="ways">\(ImageReader.formats). Or drop them here, or paste one with Ctrl+V.</p>
        </div>
        <div class="controls">
        <label for="count">Captions of each photo
        <select id="count"><option>1</option><option selected>3</option><option>5</option></select></label>
        <label><input type="checkbox" id="looks"> Show where the model looks (slower)</label>
        <label for="token" id="access" hidden>Token <input type="password" id="token" autocomplete="off"></label>
        </div>
        </form>
        <p id="status" class="note" role="status" aria-live="polite"></p>
        <noscript><p class="note">This page needs JavaScript, which is part of it.</p></noscript>
        <section aria-labelledby="found" id="results" hidden><h2 id="found">Captions</h2>
        <div class="cards" id="cards"></div></section>
        </main>
        <script>
        \(ServiceScript.text)
        </script>
        """)
  }

  private static let style = """
    .entry { margin: 2rem 0 1rem; }
    .drop { padding: 2rem 1.2rem; border: 2px dashed var(--rule); border-radius: 8px; background: var(--card);
      text-align: center; }
    .drop.over { border-color: var(--accent); background: var(--faint); }
    .drop .note { margin: .8rem auto 0; }
    .choose { display: inline-block; margin-right: .6rem; font: 600 1.1rem/1.3 var(--serif); }
    .drop input { width: auto; max-width: 100%; }
    .entry .controls { margin-top: 1rem; }
    .entry input[type=checkbox] { flex: none; width: auto; }
    .frame { position: relative; overflow: hidden; line-height: 0; }
    .card .frame img { aspect-ratio: auto; }
    .frame svg { position: absolute; pointer-events: none; filter: blur(7px); transform: scale(1.06); }
    .card button.word { padding: 0 .1rem; border: 0; border-radius: 3px; background: none; color: inherit; font: inherit;
      text-align: left; }
    .card button.word[aria-pressed=true] { background: var(--faint); }
    .copy { margin-top: .8rem; }
    .error { color: var(--warm); overflow-wrap: anywhere; }
    """
}

import Testing

@testable import WebPages

@Suite struct PageImagesTests {
  private func images(_ page: String) -> PageImages { PageImages(Array(page.utf8)) }

  /// What a browser makes of these pages: sources of its `img` elements, and which have an alt.
  @Test(arguments: [
    (
      #"<p><img src="a.png"><IMG SRC='b.png' ALT=x><img src=c.png/><img>"#,
      ["a.png", "b.png+", "c.png/", "-"]
    ),
    (#"<img src="a.png" alt><img alt="" src="b.png">"#, ["a.png+", "b.png+"]),
    (#"<img data-alt="x" src = "a b.png" ><image src=n><imgx src=n>"#, ["a b.png"]),
    (
      #"<!-- <img src=n> --><img src=a><!--> <img src=b><!--- --><img src=c><!-- --!><img src=d>"#,
      ["a", "b", "c", "d"]
    ),
    (#"<!DOCTYPE html><?php <img src=n> ?><img src=a>"#, ["a"]),
    (
      #"<script>"<img src=n>"</script ><STYLE><img src=n></style><img src=a><textarea><img src=n></textareas></textarea>"#,
      ["a"]
    ),
    (
      #"<script><!-- <script> </script><img src=n> --></script><img src=a><script><!-- </script><img src=b>"#,
      ["a", "b"]
    ),
    (#"<script><!-- <script> --></script><img src=a>"#, ["a"]),
    (
      #"<title><img src=n></title><img title="a > b" src=a><a href="<img src=n>"></a href="<img src=n>"><img src=b>"#,
      ["a", "b"]
    ),
    (
      #"<img src="x?a=1&amp;b=2&#x41;&#66;&nbsp;&unknown&"><img src="a" src="n">"#,
      ["x?a=1&b=2AB&nbsp;&unknown&", "a"]
    ),
    (#"<noscript><img src=a></noscript><picture><source srcset=n><img src=b></picture>"#, ["a", "b"]),
    (#"<img =src=n src=a><img/src=b/><img src=><img src="" >"#, ["a", "b/", "", ""]),
    (#"< img src=n><1mg src=n></ img src=n><img src=a"#, []),
    (#"<img src=a><img src="never ends><img src=n>"#, ["a"]),
    (#"<img src=a><plaintext><img src=n>"#, ["a"]),
    ("", []), ("<", []), ("<!", []), ("<!--", []), ("</", []), ("<img", []), ("<img ", []), ("<img a=", []),
    ("<script>", []), ("<script></script", []), ("<!--x--", []),
  ]) func findsWhatBrowsersFind(page: String, expected: [String]) {
    #expect(images(page).images.map { ($0.source ?? "-") + ($0.hasAlt ? "+" : "") } == expected)
  }

  @Test func linesAreTold() {
    #expect(images("<img>\n\n<img\nsrc=a>\n<p><img>").images.map(\.line) == [1, 3, 5])
  }

  /// Nothing but the attributes is new, and what they say is ASCII.
  @Test func filledPagesAreTheSameBytesOtherwise() {
    let bytes = Array("<img src=a>\r\n<IMG\n alt='' src=b>\u{E9}<img/>".utf8) + [0xE9, 0xFF, 0]
    let page = PageImages(bytes)
    #expect(page.filled([nil, nil, nil]) == bytes)
    let filled = page.filled([#"a "b" & <c> é"#, "never", "🐈"])
    let expected =
      Array(
        (#"<img alt="a &quot;b&quot; &amp; &lt;c&gt; &#233;" src=a>"# + "\r\n<IMG\n alt='' src=b>\u{E9}"
          + #"<img alt="&#128008;"/>"#).utf8) + [0xE9, 0xFF, 0]
    #expect(filled == expected)
    let again = PageImages(filled)
    #expect(again.images.map(\.hasAlt) == [true, true, true])
    #expect(again.filled(["x", "y", "z"]) == filled)
  }

  /// A megabyte of what has no end is read once, not once for each beginning.
  @Test(arguments: [
    "<", "<img src=\"", "<img src='", "<!--", "</a b=\"", "<a b", "&#", "<script", "<img a=1 ", "<script></x",
  ])
  func hostilePagesAreQuick(piece: String) {
    let bytes = Array(String(repeating: piece, count: 1_000_000 / piece.utf8.count).utf8)
    let time = ContinuousClock().measure { _ = PageImages(bytes).images.count }
    #expect(time < .seconds(20), "\(piece): \(time)")
  }

  @Test(arguments: [
    ("a.png", PictureAddress.besidePage("a.png")), ("../b/a.png?v=2#x", .besidePage("../b/a.png")),
    ("/img/a%20b.png", .belowRoot("img/a b.png")), (" a.png\n", .besidePage("a.png")),
    ("http://h/a.png", .elsewhere), ("//h/a.png", .elsewhere), ("data:image/png;base64,xx", .elsewhere),
    ("", .elsewhere), ("?x", .elsewhere), ("a/b:c.png", .besidePage("a/b:c.png")),
    ("file:///a.png", .elsewhere),
    ("100%.png", .besidePage("100%.png")), ("a%00b", .besidePage("a%00b")),
    ("%E9.png", .besidePage("\u{10FFE9}.png")),
  ]) func addressesAreFilesOrElsewhere(source: String, expected: PictureAddress) {
    #expect(PictureAddress(source) == expected)
  }
}

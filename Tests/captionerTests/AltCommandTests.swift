import Foundation
import TestSupport
import Testing

@Suite struct AltCommandTests {
  private static let page = """
    <h1>Photos &eacute;</h1>
    <img src="photos/1.jpg"><img src="/photos/2.jpg?small" class="b"
     ><img src="photos/3.jpg" alt="">
    <img src="photos/1.jpg"> <img src="photos/none.jpg"> <img src="https://example.org/x.jpg">
    <img src="data:image/gif;base64,R0lGOD"> <!-- <img src="photos/1.jpg"> -->
    """

  private func caption(_ place: Workplace, _ photo: String) throws -> String {
    let line = try place.run("caption", photo, "--model", place.model, "--format", "json")
    return try #require(try PrintedImage.lines(line)[0].captions?[0].caption)
  }

  private func text(_ place: Workplace, _ name: String) throws -> String {
    try String(contentsOfFile: place.folder + "/" + name, encoding: .utf8)
  }

  @Test func imagesWithoutAltGetOne() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      try place.file("page.html", Self.page)
      let told = try place.run("alt", "page.html", "--model", place.model)
      #expect(told.status == 1)
      let (first, second) = (try caption(place, "photos/1.jpg"), try caption(place, "photos/2.jpg"))
      #expect(
        told.lines == [
          "page.html:2: photos/1.jpg: \(first)", "page.html:2: /photos/2.jpg?small: \(second)",
          "page.html:3: photos/3.jpg: (has alt)", "page.html:4: photos/1.jpg: \(first)",
          "page.html:4: photos/none.jpg: (failed) expected a file, found none at ./photos/none.jpg or .//photos/none.jpg",
          "page.html:4: https://example.org/x.jpg: (not a file of the site)",
          "page.html:5: data:…: (not a file of the site)",
        ])
      #expect(told.errors.contains("3 captioned, 1 has alt, 2 elsewhere, 1 failed; nothing written"))
      #expect(try text(place, "page.html") == Self.page)

      let written = try place.run(
        "alt", "page.html", "--model", place.model, "--in-place", "--format", "json")
      #expect(written.status == 1 && written.lines.count == 7)
      #expect(try written.objects()[0]["caption"] as? String == first)
      let page = try text(place, "page.html")
      let expected = Self.page
        .replacingOccurrences(
          of: #"<img src="photos/1.jpg"><img src="/"#,
          with: #"<img alt="\#(first)" src="photos/1.jpg"><img alt="\#(second)" src="/"#
        )
        .replacingOccurrences(
          of: #"<img src="photos/1.jpg"> <"#, with: #"<img alt="\#(first)" src="photos/1.jpg"> <"#)
      #expect(page == expected)
      let again = try place.run("alt", "page.html", "--model", place.model, "--in-place")
      #expect(try text(place, "page.html") == page && again.errors.contains("4 has alt"))
      // The folder is made.
      _ = try place.run("alt", "page.html", "--model", place.model, "--write-to", "new")
      #expect(try text(place, "new/page.html") == page)
    }
  }

  @Test func picturesOutsideOfTheRootAreNotRead() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      try place.file("site/page.html", #"<img src="../photos/1.jpg">"#)
      let outside = try place.run("alt", "site/page.html", "--model", place.model)
      #expect(outside.status == 1 && outside.output.contains("found one outside; see --images-root"))
      let inside = try place.run(
        "alt", "site/page.html", "--model", place.model, "--images-root", ".", "--write-to", "photos")
      #expect(inside.status == 0)
      #expect(try text(place, "photos/page.html").hasPrefix(#"<img alt=""#))
      #expect(try text(place, "site/page.html") == #"<img src="../photos/1.jpg">"#)
    }
  }

  /// Pages are called by bytes: none takes another's place, and none loses its own.
  @Test func namesOfPagesAreBytes() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      let names = [
        "caf\u{E9}.html", "cafe\u{301}.html", "\u{301}.html", "-.html", "a%20b?#.html", "new\nline.html",
      ]
      for name in names { try place.file(name, #"<img src="photos/1.jpg">"#) }
      try place.makeFolder("written")
      let command = ["alt", "--model", place.model, "--write-to", "written"]
      let outcome = try place.start(command + names.map { "./" + $0 }).outcome()
      #expect(outcome.status == 0, "\(outcome.errors)")
      for name in names { #expect(try text(place, "written/" + name).hasPrefix("<img alt="), "\(name)") }
      let latin = Array((place.folder + "/caf").utf8CString.dropLast()) + [CChar(bitPattern: 0xE9), 0]
      #expect(rename(place.folder + "/-.html", latin) == 0)
      let bytes = try CaptionerProcess(
        command, in: place.folder, shell: #"exec "$@" "$(printf 'caf\351')""#
      ).outcome()
      #expect(bytes.status == 0, "\(bytes.errors)")
      #expect(access(Array((place.folder + "/written/caf").utf8CString.dropLast()) + [-23, 0], F_OK) == 0)
    }
  }

  @Test func whatCannotBeDoneIsTold() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      try place.file("page.html", #"<img src="photos/1.jpg">"#)
      try place.file("wide.html", Data([0xFF, 0xFE, 0x3C, 0]))
      let unsure = try place.run("alt", "page.html", "--model", place.model, "--minimum-confidence", "0.5")
      #expect(unsure.status == 64 && unsure.complaints.last?.contains("has no confidence") == true)
      let wide = try place.run("alt", "wide.html", "page.html", "none.html", "--model", place.model)
      #expect(wide.status == 1 && wide.lines.count == 1)
      #expect(wide.errors.contains("wide.html") && wide.errors.contains("found UTF-16"))
      #expect(wide.errors.contains("none.html"))
      let picture = try place.run("alt", "photos/1.jpg", "--model", place.model)
      #expect(picture.status == 1 && picture.complaints.last?.contains("expected an HTML page") == true)
      for arguments in [["--in-place", "--write-to", "x"], ["--minimum-confidence", "2"]] {
        let refused = try place.start(["alt", "page.html", "--model", place.model] + arguments).outcome()
        #expect(refused.status == 64)
      }
    }
  }
}

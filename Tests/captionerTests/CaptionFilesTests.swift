import Foundation
import PhotoMetadata
import TestSupport
import Testing

/// `caption --write`: captions beside photos and in them.
@Suite struct CaptionFilesTests {
  private func text(_ path: String, in place: Workplace) -> String? {
    FileManager.default.contents(atPath: place.folder + "/" + path).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// The caption of a photo by itself.
  private func caption(_ photo: String, in place: Workplace) throws -> String {
    let outcome = try place.run("caption", photo, "--model", place.model, "--format", "json")
    return try #require(try PrintedImage.lines(outcome)[0].captions?.first?.caption)
  }

  @Test func textFilesHaveACaptionALine() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "d/a.b.jpg")
      try place.photo("decode/png-rgb.png", as: "d/c")
      let (first, second) = (try caption("d/a.b.jpg", in: place), try caption("d/c", in: place))
      let outcome = try place.run("caption", "d", "--model", place.model, "--write", "txt")
      #expect(
        outcome.status == 0 && outcome.complaints.isEmpty && outcome.lines.count == 2, "\(outcome.errors)")
      #expect(text("d/a.b.txt", in: place) == first + "\n" && text("d/c.txt", in: place) == second + "\n")
      // What lies beside a photo is no photo.
      let again = try place.run("caption", "d", "--model", place.model, "--write", "txt", "--skip-existing")
      #expect(again.status == 0 && again.errors.hasSuffix("0 captioned, 2 skipped\n"), "\(again.errors)")
      let around = try place.run(
        "caption", "d/c", "--model", place.model, "--write", "txt", "--overwrite", "--text-before", "sks, ",
        "--text-after", " .", "--captions", "2")
      let lines = try #require(text("d/c.txt", in: place)).split(separator: "\n")
      #expect(around.status == 0 && lines.count == 2 && lines[0] == "sks, \(second) .")
      #expect(lines[1].hasPrefix("sks, ") && lines[1] != lines[0])
    }
  }

  /// By default refused, with both ways out; skipped or replaced when that is asked for.
  @Test(.enabled(if: XMPPacket.isAvailable, "needs the library expat (Debian: libexpat1)"))
  func whatIsThereIsNotLost() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "d/a.jpg")
      try place.photo("decode/png-rgb.png", as: "d/b.png")
      for (kind, file) in [("txt", "d/a.txt"), ("xmp", "d/a.jpg.xmp"), ("embedded", "d/a.jpg")] {
        let photo = "d/a.jpg"
        let arguments = ["caption", photo, "d/b.png", "--model", place.model, "--write", kind]
        #expect(try place.start(arguments).outcome().status == 0)
        let before = text(file, in: place)
        let refused = try place.start(arguments).outcome()
        #expect(refused.status == 1 && refused.output == "" && refused.complaints.count == 3)
        #expect(
          refused.errors.contains("already: --skip-existing leaves it, --overwrite replaces it")
            && refused.complaints.last == "0 captioned, 2 failed", "\(refused.errors)")
        let skipped = try place.start(arguments + ["--skip-existing"]).outcome()
        #expect(skipped.status == 0 && skipped.output == "" && skipped.errors == "0 captioned, 2 skipped\n")
        #expect(text(file, in: place) == before)
        let replaced = try place.start(arguments + ["--overwrite", "--text-before", "new "]).outcome()
        #expect(replaced.status == 0 && replaced.lines.count == 2 && replaced.complaints.isEmpty)
        #expect(text(file, in: place) != before && text(file, in: place)?.contains("new ") == true)
      }
      #expect(try place.leftovers() == [])
    }
  }

  /// A link in the place of a caption file leads to no photo's end, and what is no file is no caption.
  @Test func linksAndFoldersInTheWay() throws {
    try Workplace.with { place in
      for name in ["a.jpg", "b.jpg", "c.jpg", "d.jpg"] { try place.photo("decode/jpeg-444.jpg", as: name) }
      let photo = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/a.jpg"))
      symlink("b.jpg", place.folder + "/a.txt")
      link(place.folder + "/a.jpg", place.folder + "/b.txt")
      try place.makeFolder("c.txt")
      try place.file("kept", "kept")
      symlink("kept", place.folder + "/d.txt")
      let names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
      for option in ["--overwrite", "--skip-existing"] {
        let command = ["caption"] + names + ["--model", place.model, "--write", "txt", option]
        let outcome = try place.start(command).outcome()
        #expect(outcome.status == 1, "\(outcome.errors)")
        for message in [
          "a.jpg: a.txt, which would be its txt file, is read as a photo",
          "b.jpg: b.txt, which would be its txt file, is read as a photo",
          "c.txt: can't write: not a regular file",
        ] {
          #expect(outcome.errors.contains("captioner: " + message), "\(option): \(outcome.errors)")
        }
        for name in names {
          #expect(try Data(contentsOf: URL(fileURLWithPath: place.folder + "/" + name)) == photo, "\(name)")
        }
        #expect(text("d.txt", in: place) != "kept")
      }
    }
  }

  /// Only what is missing is written; several kinds at once.
  @Test(.enabled(if: XMPPacket.isAvailable, "needs the library expat (Debian: libexpat1)"))
  func severalKindsInAFolder() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      let before = try Data(contentsOf: URL(fileURLWithPath: photo))
      let arguments = [
        "caption", "a.jpg", "--model", place.model, "--write", "embedded", "--write", "txt", "--write", "xmp",
        "--write-to", "out",
      ]
      let outcome = try place.start(arguments).outcome()
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: place.folder + "/out").sorted()
          == ["a.jpg", "a.jpg.xmp", "a.txt"])
      #expect(try Data(contentsOf: URL(fileURLWithPath: photo)) == before)
      let caption = try caption("a.jpg", in: place)
      let copy = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/out/a.jpg"))
      #expect(try copy.withUnsafeBytes { try PhotoDescription.embedded(in: $0) } == caption)
      try FileManager.default.removeItem(atPath: place.folder + "/out/a.txt")
      try place.file("out/a.jpg.xmp", "old")
      let again = try place.start(arguments + ["--skip-existing"]).outcome()
      #expect(again.status == 1 && again.errors.contains("out/a.jpg.xmp: XMP: line 1: "), "\(again.errors)")
      #expect(text("out/a.jpg.xmp", in: place) == "old" && text("out/a.txt", in: place) == nil)
      try FileManager.default.removeItem(atPath: place.folder + "/out/a.jpg.xmp")
      let rest = try place.start(arguments + ["--skip-existing"]).outcome()
      #expect(rest.status == 0 && text("out/a.txt", in: place) == caption + "\n")
      // A second photo of that name has no place there, a photo of another kind no text file of its own.
      try place.photo("decode/png-rgb.png", as: "d/a.jpg")
      try place.photo("decode/png-rgb.png", as: "d/a.png")
      let two = try place.run(
        "caption", "a.jpg", "d/a.jpg", "d/a.png", "--model", place.model, "--write", "txt", "--write-to",
        "out",
        "--overwrite")
      #expect(two.status == 1 && two.lines.count == 1 && two.complaints.last == "1 captioned, 2 failed")
      #expect(two.errors.contains("d/a.png: out/a.txt is the file of a.jpg already"), "\(two.errors)")
    }
  }

  /// A side file that is no XML, or whose XML would do harm, costs that photo only and stays.
  @Test(.enabled(if: XMPPacket.isAvailable, "needs the library expat (Debian: libexpat1)"))
  func sideFilesAreMerged() throws {
    try Workplace.with { place in
      for name in ["a", "b", "c"] { try place.photo("decode/jpeg-444.jpg", as: "d/\(name).jpg") }
      let bomb = "<!DOCTYPE a [<!ENTITY b \"\(String(repeating: "l", count: 1000))\">]><a>&b;</a>"
      try place.file("d/a.jpg.xmp", bomb)
      let mine = """
        <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
        <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></rdf:RDF></x:xmpmeta>
        """
      try place.file("d/b.jpg.xmp", mine)
      chmod(place.folder + "/d/b.jpg.xmp", 0o640)
      let outcome = try place.run("caption", "d", "--model", place.model, "--write", "xmp")
      #expect(outcome.status == 1 && outcome.complaints.last == "2 captioned, 1 failed", "\(outcome.errors)")
      #expect(outcome.errors.contains("d/a.jpg.xmp: XMP: line 1: a document type declaration"))
      #expect(text("d/a.jpg.xmp", in: place) == bomb)
      let merged = try #require(text("d/b.jpg.xmp", in: place))
      #expect(merged.contains("xmp:Rating=\"5\"") && merged.contains("<rdf:li xml:lang=\"x-default\">"))
      let mode = try FileManager.default.attributesOfItem(atPath: place.folder + "/d/b.jpg.xmp")[
        .posixPermissions]
      #expect(mode as? Int == 0o640)
      #expect(try XMPPacket(Array(try #require(text("d/c.jpg.xmp", in: place)).utf8)).description != nil)
    }
  }

  /// A name that is no UTF-8 keeps its bytes in the names of what is made of it.
  @Test func namesAreBytes() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "d/a.jpg")
      let latin =
        Array((place.folder + "/d/caf").utf8).map { CChar(bitPattern: $0) } + [CChar(bitPattern: 0xE9)]
      let ending: (String) -> [CChar] = { latin + Array($0.utf8CString) }
      #expect(rename(place.folder + "/d/a.jpg", ending(".jpg")) == 0)
      let outcome = try place.run("caption", "d", "--model", place.model, "--write", "txt", "--write", "xmp")
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(access(ending(".txt"), R_OK) == 0 && access(ending(".jpg.xmp"), R_OK) == 0)
      let again = try place.run("caption", "d/caf\u{10FFE9}.jpg", "--model", place.model, "--write", "txt")
      #expect(again.errors.contains("d/caf\\xE9.txt is there already") || again.status == 1)
    }
  }

  @Test func photosAreNotWrittenOver() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.txt")
      let before = try Data(contentsOf: URL(fileURLWithPath: photo))
      try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      let outcome = try place.run(
        "caption", "a.txt", "a.jpg", "--model", place.model, "--write", "txt", "--overwrite")
      #expect(outcome.status == 1 && outcome.complaints.last == "0 captioned, 2 failed", "\(outcome.errors)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: photo)) == before)
      // A folder that can't be written to costs its photos only; what is no photo is told as ever.
      try place.file("b.jpg", "no photo")
      let bad = try place.run("caption", "b.jpg", "--model", place.model, "--write", "embedded")
      #expect(bad.status == 1 && bad.complaints.count == 1 && text("b.jpg", in: place) == "no photo")
    }
  }

  @Test(arguments: [
    ["--text-before", "x"], ["--write", "html"], ["--write-to", "x"], ["--skip-existing"], ["--overwrite"],
    ["--write", "txt", "--overwrite", "--skip-existing"], ["--write", "txt", "--text-after", "a\nb"],
    ["--output", "x"], ["--output", "x.txt"], ["--output", "x.csv", "--format", "text"], ["-0"],
    ["--minimum-confidence", "2"], ["--files-from", "-", "-"], ["-", "--write", "txt"],
  ]) func misuseIsTold(options: [String]) throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      let outcome = try place.start(["caption", photo, "--model", place.model] + options).outcome()
      #expect(outcome.status == 64 && outcome.output == "", "\(outcome.errors)")
    }
  }
}

import Foundation
import TestSupport
import Testing

/// `caption --output`: a file that is gone on with.
@Suite struct ResumableOutputTests {
  private func bytes(_ name: String, in place: Workplace) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: place.folder + "/" + name))
  }

  /// A photo's line without its numbers, which differ in the last digits when it is computed beside others.
  private func captions(_ name: String, in place: Workplace) throws -> [String] {
    try String(decoding: bytes(name, in: place), as: UTF8.self).split(separator: "\n").map { line in
      guard line.hasPrefix("{") else { return line.split(separator: ",").prefix(3).joined(separator: ",") }
      let printed = try JSONDecoder().decode(PrintedImage.self, from: Data(line.utf8))
      return printed.image + (printed.captions?.map(\.caption).description ?? "")
    }
  }

  /// To Swift's strings é is é, to the file system not: photos that are called alike are two.
  @Test(arguments: ["jsonl", "csv"]) func namesOfOneSpellingAreTwo(ending: String) throws {
    try Workplace.with { place in
      try place.photo("decode/png-rgb.png", as: "d/e\u{301}.png")
      try place.photo("decode/png-rgb.png", as: "d/\u{E9}.png")
      let name = "out." + ending
      let arguments = ["caption", "d", "--model", place.model, "--output", name]
      let outcome = try place.start(arguments + ["--write", "txt"]).outcome()
      #expect(outcome.status == 0 && !outcome.errors.contains("already"), "\(outcome.errors)")
      let expected = try captions(name, in: place)
      let titles = ending == "csv" ? 1 : 0
      #expect(expected.count == 2 + titles)
      // Of the first photo only.
      let lines = try bytes(name, in: place).split(separator: UInt8(ascii: "\n"))
      try Data(lines.prefix(1 + titles).flatMap { $0 + [UInt8(ascii: "\n")] }).write(
        to: URL(fileURLWithPath: place.folder + "/" + name))
      let again = try place.start(arguments).outcome()
      #expect(again.status == 0 && again.errors.contains("1 captioned, 1 skipped"), "\(again.errors)")
      #expect(try captions(name, in: place) == expected)
    }
  }

  /// Cut anywhere, the file ends with the lines of a run that nobody interrupted.
  @Test(arguments: ["jsonl", "csv"]) func aTornFileIsGoneOnWith(ending: String) throws {
    try Workplace.with { place in
      _ = try place.dataset()
      let name = "out." + ending
      let arguments = ["caption", "photos", "--model", place.model, "--output", name, "--captions", "2"]
      let outcome = try place.start(arguments).outcome()
      #expect(outcome.status == 0 && outcome.output == "", "\(outcome.errors)")
      let whole = try bytes(name, in: place)
      let expected = try captions(name, in: place)
      #expect(expected.count == (ending == "csv" ? 17 : 8))
      for share in [0.001, 0.2, 0.5, 0.77, 0.999] {
        try whole.prefix(Int(share * Double(whole.count))).write(
          to: URL(fileURLWithPath: place.folder + "/" + name))
        let again = try place.start(arguments).outcome()
        #expect(again.status == 0 && again.output == "", "\(share): \(again.errors)")
        #expect(try captions(name, in: place) == expected, "\(share)")
      }
      // Zeros are what a machine that stopped leaves.
      try (whole + Data(count: 100)).write(to: URL(fileURLWithPath: place.folder + "/" + name))
      let complete = try place.start(arguments).outcome()
      #expect(complete.status == 0 && complete.complaints.last == "0 captioned, 8 skipped")
      #expect(try bytes(name, in: place) == whole)
      try Data(whole.prefix(whole.count / 2)).write(to: URL(fileURLWithPath: place.folder + "/" + name))
      let anew = try place.start(arguments + ["--overwrite"]).outcome()
      #expect(anew.status == 0)
      #expect(try bytes(name, in: place) == whole)
    }
  }

  /// What failed is tried again.
  @Test(arguments: ["jsonl", "csv"]) func failuresAreTriedAgain(ending: String) throws {
    try Workplace.with { place in
      _ = try place.dataset()
      try place.file("photos/3.jpg", "not yet")
      let name = "out." + ending
      let arguments = ["caption", "photos", "nowhere.jpg", "--model", place.model, "--output", name]
      let first = try place.start(arguments).outcome()
      #expect(first.status == 1 && first.complaints.last == "7 captioned, 2 failed", "\(first.errors)")
      try FileManager.default.removeItem(atPath: place.folder + "/photos/3.jpg")
      try place.photo("decode/jpeg-444.jpg", as: "photos/3.jpg")
      let second = try place.start(arguments).outcome()
      #expect(
        second.status == 1 && second.complaints.last == "1 captioned, 7 skipped, 1 failed", "\(second.errors)"
      )
      let text = try String(decoding: bytes(name, in: place), as: UTF8.self)
      #expect(text.components(separatedBy: "photos/3.jpg").count == 2)
      #expect(text.components(separatedBy: "nowhere.jpg: can't read").count == 2)
    }
  }

  /// What it does not know it does not touch.
  @Test(arguments: [
    ("out.csv", "image,rank,caption,log_prob,error\na.jpg,1,a dog,-3,\n"), ("out.csv", "photo"),
    ("out.jsonl", "{\"image\":1}\n"), ("out.jsonl", "not mine"), ("out.json", "[{\"image\": \"a.jpg\"}]\n"),
    ("out.jsonl", "{\"image\":\"a.jpg\",\"captions\":[]}\n\n"),
  ]) func foreignFilesStay(name: String, text: String) throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "b.jpg")
      try place.file(name, text)
      let outcome = try place.run("caption", photo, "--model", place.model, "--output", name)
      #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("\(name): line ") && outcome.errors.contains("--overwrite"))
      #expect(try bytes(name, in: place) == Data(text.utf8))
      let over = try place.run(
        "caption", photo, "--model", place.model, "--output", photo, "--format", "json")
      #expect(over.status == 1 && over.errors.contains("which is read") || over.errors.contains("it is read"))
    }
  }

  /// Names with line breaks and quotation marks, and that are no UTF-8, are known again.
  @Test(arguments: ["jsonl", "csv"]) func oddNamesAreKnownAgain(ending: String) throws {
    try Workplace.with { place in
      for name in ["=a,\"b\".jpg", "line\nbreak.jpg", "c.jpg"] {
        try place.photo("decode/jpeg-444.jpg", as: "d/" + name)
      }
      let latin = Array((place.folder + "/d/caf").utf8CString.dropLast()) + [CChar(bitPattern: 0xE9), 0]
      #expect(rename(place.folder + "/d/c.jpg", latin) == 0)
      let arguments = ["caption", ".", "--recursive", "--model", place.model, "--output", "o." + ending]
      try FileManager.default.createDirectory(atPath: place.folder + "/e", withIntermediateDirectories: false)
      let first = try place.start(["caption", "d"] + arguments.dropFirst(3)).outcome()
      #expect(first.status == 0, "\(first.errors)")
      let second = try place.start(["caption", "d"] + arguments.dropFirst(3)).outcome()
      #expect(second.complaints.last == "0 captioned, 3 skipped")
    }
  }

  /// Killed at random moments and run again until it ends: text files and lines of a run that nobody killed.
  @Test func killedAndResumed() throws {
    try Workplace.with { place in
      for number in 0..<150 { try place.photo("decode/jpeg-444.jpg", as: "many/\(number).jpg") }
      let arguments = [
        "caption", "many", "--model", place.model, "--write", "txt", "--skip-existing", "--output",
        "out.jsonl",
        "--threads", "1",
      ]
      let start = ContinuousClock.now
      #expect(try place.start(arguments).outcome().status == 0)
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      let expected = try captions("out.jsonl", in: place)
      let texts =
        FileManager.default.enumerator(atPath: place.folder + "/many")?.compactMap { $0 as? String }
        .filter { $0.hasSuffix(".txt") } ?? []
      #expect(expected.count == 150 && texts.count == 150)
      let right = try bytes("many/0.txt", in: place)
      for text in texts { try FileManager.default.removeItem(atPath: place.folder + "/many/" + text) }
      try FileManager.default.removeItem(atPath: place.folder + "/out.jsonl")
      for _ in 0..<5 {
        let process = try place.start(arguments)
        usleep(UInt32(Double.random(in: 0.2...1) * seconds * 1e6))
        kill(process.identifier, SIGKILL)
        _ = process.outcome()
        for text in texts where FileManager.default.fileExists(atPath: place.folder + "/many/" + text) {
          #expect(try bytes("many/" + text, in: place) == right)
        }
      }
      let last = try place.start(arguments).outcome()
      #expect(last.status == 0, "\(last.errors)")
      #expect(try captions("out.jsonl", in: place).sorted() == expected.sorted())
      for text in texts { #expect(try bytes("many/" + text, in: place) == right) }
      #expect(try place.leftovers() == [])
    }
  }
}

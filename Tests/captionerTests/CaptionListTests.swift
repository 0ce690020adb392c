import Foundation
import TestSupport
import Testing

/// `caption --files-from`, and what is said of captions that are not sure.
@Suite struct CaptionListTests {
  @Test func listsAreReadAsLinesAndWithZeros() throws {
    try Workplace.with { place in
      for name in ["a b.jpg", "c\nd.jpg", "-"] { try place.photo("decode/jpeg-444.jpg", as: name) }
      try place.file("lines", "\u{FEFF}a b.jpg\r\n\n./-\nmissing.jpg\n-")
      let lines = try place.run(
        "caption", "--files-from", "lines", "--model", place.model, "--format", "json")
      #expect(lines.status == 1 && lines.complaints.last == "3 captioned, 1 failed", "\(lines.errors)")
      #expect(try PrintedImage.lines(lines).map(\.image) == ["a b.jpg", "./-", "missing.jpg", "./-"])
      try place.file("zeros", "c\nd.jpg\0a b.jpg\0\0")
      let zeros = try place.run(
        "caption", "a b.jpg", "--files-from", "-", "-0", "--model", place.model, "--format", "json",
        input: place.folder + "/zeros")
      #expect(zeros.status == 0, "\(zeros.errors)")
      #expect(try PrintedImage.lines(zeros).map(\.image) == ["a b.jpg", "c\nd.jpg", "a b.jpg"])
      let none = try place.run("caption", "--files-from", "/dev/null", "--model", place.model)
      #expect(none.status == 1 || none.output == "")
    }
  }

  @Test(arguments: [
    ("a\0b", "line 1: expected a path, found a NUL byte; with --null paths end in one"),
    ("x\n" + String(repeating: "a", count: 5000), "line 2: expected a path, found 5000 bytes"),
  ]) func whatIsNoListIsTold(text: String, message: String) throws {
    try Workplace.with { place in
      try place.file("list", text)
      let outcome = try place.run("caption", "--files-from", "list", "--model", place.model)
      #expect(
        outcome.status == 1 && outcome.complaints == ["captioner: list: " + message], "\(outcome.errors)")
    }
  }

  /// Names that are no UTF-8 are bytes in lists too.
  @Test func listedNamesAreBytes() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      let latin = Array((place.folder + "/caf").utf8CString.dropLast()) + [CChar(bitPattern: 0xE9), 0]
      #expect(rename(place.folder + "/a.jpg", latin) == 0)
      try place.file("list", Data(Array("caf".utf8) + [0xE9, 0x0A]))
      let outcome = try place.run("caption", "--files-from", "list", "--model", place.model)
      #expect(outcome.status == 0 && outcome.output.hasPrefix("caf\\xE9: "), "\(outcome.errors)")
    }
  }

  /// Writes a model that gives every caption the same confidence, 1/2 unless asked.
  private func calibrate(_ place: Workplace, unsureBelow: String = "", logit: Double = 0) throws {
    var metadata = TinyNetwork.metadata
    metadata["confidence"] =
      #"{"intercept": \#(logit), "per_nat": 0, "per_word": 0, "metric": "CIDEr", "threshold": 0.5, "images": 8, "#
      + #""good": 4, "calibration_error": 0.1\#(unsureBelow)}"#
    try TinyNetwork.writeModel(to: place.model, metadata: metadata)
  }

  @Test func unsureCaptionsAreMarked() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      func output(_ options: String...) throws -> String {
        let outcome = try place.start(["caption", photo, "--model", place.model] + options).outcome()
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
      }
      let plain = try output()
      try calibrate(place)
      #expect(try output() == plain)
      try calibrate(place, unsureBelow: #", "unsure_below": 0.5"#)
      #expect(try output() == plain)
      try calibrate(place, unsureBelow: #", "unsure_below": 0.51"#)
      #expect(try output() == plain.dropLast() + "  (unsure)\n")
      #expect(try output("--minimum-confidence", "0.4") == plain)
      #expect(try output("--format", "csv").contains(",,0.5\n"))
      // ln (1/3), a confidence of 1/4: below it captions are unsure where the file says no threshold.
      try calibrate(place, logit: -1.0986)
      #expect(try output() == plain)
      try calibrate(place, logit: -1.0987)
      #expect(try output() == plain.dropLast() + "  (unsure)\n")
    }
  }

  /// Left out of data and files, and counted apart.
  @Test func captionsThatAreNotSureEnoughAreLeftOut() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      let none = try place.run("caption", "a.jpg", "--model", place.model, "--minimum-confidence", "0.1")
      #expect(none.status == 64 && none.complaints.count == 1 && none.errors.contains("--calibrate"))
      try calibrate(place)
      func outcome(_ options: String...) throws -> CaptionerProcess.Outcome {
        try place.start(["caption", "a.jpg", "--model", place.model, "--minimum-confidence"] + options)
          .outcome()
      }
      let json = try outcome("0.6", "--format", "json", "--write", "txt")
      #expect(json.status == 0 && json.output == "{\"image\":\"a.jpg\",\"captions\":[]}\n")
      #expect(json.errors == "0 captioned, 1 not sure enough\n")
      #expect(!FileManager.default.fileExists(atPath: place.folder + "/a.txt"))
      #expect(try outcome("0.6", "--format", "csv").lines.last == "a.jpg,,,,,")
      #expect(try outcome("0.6").output.hasSuffix("  (unsure)\n"))
      let sure = try outcome("0.5", "--write", "txt")
      #expect(sure.status == 0 && FileManager.default.fileExists(atPath: place.folder + "/a.txt"))
      // A file knows such photos again.
      for name in ["o.csv", "o.jsonl"] {
        _ = try outcome("0.6", "--output", name)
        #expect(try outcome("0.6", "--output", name).errors == "0 captioned, 1 skipped\n")
      }
    }
  }
}

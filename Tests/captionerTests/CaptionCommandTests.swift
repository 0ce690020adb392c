import Foundation
import Kernels
import TestSupport
import Testing

/// A caption as JSON has it, and whether everything about it fits together.
struct PrintedCaption: Decodable {
  struct Word: Decodable {
    let word: String
    let log_prob: Double
  }
  let caption: String
  let log_prob: Double
  let words: [Word]

  var isSound: Bool {
    caption == words.dropLast().map(\.word).joined(separator: " ") && words.last?.word == "</s>"
      && words.allSatisfy { $0.log_prob <= 0 }
      && abs(words.reduce(0) { $0 + $1.log_prob } - log_prob) < 1e-4
  }
}

struct PrintedImage: Decodable {
  let image: String
  var captions: [PrintedCaption]?
  var error: String?

  static func lines(_ outcome: CaptionerProcess.Outcome) throws -> [PrintedImage] {
    try outcome.lines.map { try JSONDecoder().decode(PrintedImage.self, from: Data($0.utf8)) }
  }
}

@Suite struct CaptionCommandTests {
  /// Refused before anything is read where the CPU lacks it.
  @Test func arithmeticIsChosen() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      let arguments = ["caption", photo, "--model", place.model, "--arithmetic", "bfloat16"]
      let refused = try place.start(arguments, environment: ["CAPTIONER_ISA": "baseline"]).outcome()
      #expect(refused.status == 64 && refused.output == "")
      #expect(
        refused.errors.contains("--arithmetic: expected float32, this CPU can't multiply bfloat16"),
        "\(refused.errors)")
      if Arithmetic.bfloat16.isAvailable {
        let outcome = try place.run("caption", photo, "--model", place.model, "--arithmetic", "bfloat16")
        #expect(outcome.status == 0 && outcome.complaints.isEmpty && outcome.lines.count == 1)
      }
    }
  }

  @Test func jsonIsAContract() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a \"b\".jpg")
      let outcome = try place.run(
        "caption", photo, "--model", place.model, "--format", "json", "--captions", "3", "--beam-width", "3")
      #expect(outcome.status == 0 && outcome.complaints.isEmpty)
      let object = try #require(try outcome.objects().first)
      #expect(outcome.lines.count == 1 && Set(object.keys) == ["image", "captions"])
      #expect(outcome.output.hasPrefix(#"{"image":""#))
      let first = try #require((object["captions"] as? [[String: Any]])?.first)
      #expect(Set(first.keys) == ["caption", "log_prob", "normalized_log_prob", "words"])
      #expect(Set(try #require(first["words"] as? [[String: Any]])[0].keys) == ["word", "log_prob"])
      let image = try PrintedImage.lines(outcome)[0]
      let captions = try #require(image.captions)
      #expect(image.image == photo && captions.count == 3)
      for caption in captions { #expect(caption.isSound, "\(caption)") }
      let logProbs = captions.map(\.log_prob)
      #expect(logProbs == logProbs.sorted(by: >) && Set(captions.map(\.caption)).count == 3)
    }
  }

  /// By default a caption has a word, in every way of finding one.
  @Test func captionsAreNeverEmpty() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      for options in [[], ["--beam-width", "1"], ["--sample", "--captions", "100"]] {
        let outcome = try place.start(
          ["caption", photo, "--model", place.model, "--format", "json"] + options
        ).outcome()
        #expect(outcome.status == 0)
        let captions = try PrintedImage.lines(outcome)[0].captions ?? []
        #expect(!captions.isEmpty && captions.allSatisfy { !$0.caption.isEmpty })
      }
    }
  }

  @Test func severalCaptionsAreScoredInOneCall() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      let both = try place.run(
        "score", photo, "a dog", "the snow", "--model", place.model, "--format", "json")
      let first = try place.run("score", photo, "a dog", "--model", place.model, "--format", "json")
      let captions = try #require(try PrintedImage.lines(both)[0].captions)
      #expect(both.status == 0 && captions.map(\.caption) == ["a dog", "the snow"])
      #expect(captions[0].log_prob == (try PrintedImage.lines(first)[0].captions?[0].log_prob))
      let text = try place.run("score", photo, "a dog", "the snow", "--model", place.model)
      #expect(text.lines.count { $0.contains("per word") } == 2)
    }
  }

  /// Every caption printed gets the same log-probability from `score`.
  @Test func scoreAgrees() throws {
    try Workplace.with { place in
      let photo = try place.photo("resize/160x120.png", as: "photo.png")
      let printed = try PrintedImage.lines(
        place.run(
          "caption", photo, "--model", place.model, "--format", "json", "--captions", "3", "--max-length", "7"
        ))
      let captions = try #require(printed[0].captions).filter { !$0.caption.isEmpty }
      #expect(captions.count >= 2)
      for caption in captions {
        let outcome = try place.run(
          "score", photo, caption.caption, "--model", place.model, "--format", "json")
        let scored = try PrintedImage.lines(outcome)[0]
        #expect(outcome.status == 0 && scored.image == photo && scored.captions?.count == 1)
        let again = try #require(scored.captions?.first)
        #expect(again.caption == caption.caption && again.isSound)
        #expect(abs(again.log_prob - caption.log_prob) < 1e-4)
      }
      let text = try place.run("score", photo, "A Zebra runs", "--model", place.model)
      #expect(text.lines[0].wholeMatch(of: /a <unk> runs  \(log-prob -\d+\.\d\d\)/) != nil)
      #expect(text.lines.count == 6)
      #expect(text.complaints == ["captioner: not in the vocabulary, scored as <unk>: zebra"])
    }
  }

  /// Words that the tokenizer would take apart, as a caption may be printed with them.
  @Test func printedWordsAreScoredAsTheyAre() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: "photo.png")
      var metadata = TinyNetwork.metadata
      metadata["vocabulary"] = metadata["vocabulary"]?.replacingOccurrences(of: "snow", with: "-lrb-")
      try TinyNetwork.writeModel(to: place.model, metadata: metadata)
      let outcome = try place.run("score", photo, "a -lrb- dog", "--model", place.model, "--format", "json")
      #expect(outcome.status == 0 && outcome.complaints.isEmpty)
      #expect(try PrintedImage.lines(outcome)[0].captions?[0].caption == "a -lrb- dog")
      for caption in ["", " ", "...", "\u{1F642}"] {
        let nothing = try place.run("score", photo, caption, "--model", place.model)
        #expect(nothing.status == 0 && nothing.complaints.count == 1)
        #expect(nothing.errors.contains(" has no word: scored as a caption that ends at once"))
      }
    }
  }

  @Test func textAndCSV() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: "a,b.png")
      let one = try place.run("caption", photo, "--model", place.model)
      #expect(one.status == 0 && one.lines.count == 1)
      #expect(one.lines[0].wholeMatch(of: /[a-z ]*  \(log-prob -\d+\.\d\d\)/) != nil)
      let two = try place.run("caption", photo, photo, "--model", place.model)
      #expect(two.lines == [one.lines[0], one.lines[0]].map { "\(photo): \($0)" })

      let csv = try place.run(
        "caption", photo, "/no\nwhere", "--model", place.model, "--format", "csv", "--captions", "2")
      #expect(csv.status == 1)
      #expect(csv.lines[0] == "image,rank,caption,log_prob,error,confidence")
      #expect(csv.lines.filter { $0.hasPrefix("\"\(photo)\",") }.count == 2)
      #expect(csv.lines[1].wholeMatch(of: /"[^"]*",1,[a-z ]*,-\d+\.\d+,,/) != nil)
      #expect(csv.lines.last == #"/no\u{A}where,,,,/no\u{A}where: can't read: No such file or directory,"#)
      #expect(
        csv.complaints == [
          #"captioner: /no\u{A}where: can't read: No such file or directory"#, "1 captioned, 1 failed",
        ])
    }
  }

  /// A folder's files are sorted; hidden ones, folders and pipes in it are no images. The order given is kept.
  @Test func foldersAndOrder() throws {
    try Workplace.with { place in
      for name in ["c.jpg", "a.jpg", "B.png", ".hidden.jpg"] {
        try place.photo("decode/jpeg-444.jpg", as: "photos/\(name)")
      }
      try place.makeFolder("photos/folder.jpg")
      mkfifo(place.folder + "/photos/pipe.jpg", 0o600)
      let last = try place.photo("decode/jpeg-422.jpg", as: "last.jpg")
      let outcome = try place.run(
        "caption", last, place.folder + "/photos/", last, "--model", place.model, "--format", "json")
      #expect(outcome.status == 0)
      let names = try PrintedImage.lines(outcome).map { String($0.image.split(separator: "/").last!) }
      #expect(names == ["last.jpg", "B.png", "a.jpg", "c.jpg", "last.jpg"])
      // A folder of one names it all the same.
      try place.photo("decode/jpeg-444.jpg", as: "one/x.jpg")
      #expect(try place.run("caption", "one", "--model", place.model).output.hasPrefix("one/x.jpg: "))
    }
  }

  /// Names with a line break, and that are no UTF-8: a line each.
  @Test func oddNames() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "photos/line\nbreak.jpg")
      try place.photo("decode/jpeg-444.jpg", as: "photos/latin.jpg")
      let latin: [CChar] =
        Array((place.folder + "/photos/caf").utf8CString.dropLast()) + [CChar(bitPattern: 0xE9), 0]
      #expect(rename(place.folder + "/photos/latin.jpg", latin) == 0)
      let outcome = try place.run("caption", "photos", "--model", place.model)
      #expect(
        outcome.status == 0 && outcome.complaints.isEmpty && outcome.lines.count == 2
          && outcome.lines[0].hasPrefix("photos/caf\\xE9: ")
          && outcome.lines[1].hasPrefix("photos/line\\u{A}break.jpg: "), "\(outcome.errors)")
    }
  }

  @Test func standardInput() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "photo.jpg")
      let named = try place.run("caption", photo, "--model", place.model)
      let piped = try place.run("caption", "-", "--model", place.model, input: photo)
      #expect(piped.status == 0 && piped.output == named.output)
      let scored = try place.run("score", "-", "a dog", "--model", place.model, input: photo)
      #expect(scored.status == 0)
      for input in ["/dev/null", place.folder] {
        let outcome = try place.run("caption", "-", "--model", place.model, "--format", "json", input: input)
        #expect(outcome.status == 1 && outcome.lines.count == 1 && outcome.complaints.count == 1)
        #expect(outcome.errors.hasPrefix("captioner: standard input: "))
        #expect(try PrintedImage.lines(outcome)[0].error?.hasPrefix("standard input: ") == true)
      }
    }
  }

  @Test func theModelIsFoundFromAnywhere() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "elsewhere/photo.jpg")
      let expected = try place.run("caption", "elsewhere/photo.jpg", "--model", "model.safetensors")
      #expect(expected.status == 0)
      let elsewhere = place.folder + "/elsewhere"
      let relative = try place.run(
        "caption", "photo.jpg", "--model", "../model.safetensors", workingFolder: elsewhere)
      let named = try place.run(
        "caption", "photo.jpg", environment: ["CAPTIONER_MODEL": place.model], workingFolder: elsewhere)
      #expect(relative.output == expected.output && named.output == expected.output)
      let wrong = try place.run(
        "caption", "photo.jpg", environment: ["CAPTIONER_MODEL": "/nowhere"], workingFolder: elsewhere)
      #expect(wrong.status == 1)
      #expect(wrong.complaints == ["captioner: /nowhere: can't open: No such file or directory"])
    }
  }

  @Test func threadsAndBatchesChangeNothing() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      try place.photo("resize/37x29.png", as: "photos/9.png")
      let options = ["--model", place.model, "--format", "json", "--captions", "2"]
      let outputs = try ["1", "2", "5"].map {
        try place.start(["caption", "photos", "--threads", $0] + options).outcome().output
      }
      #expect(outputs[0] == outputs[1] && outputs[0] == outputs[2] && outputs[0] != "")
      // One at a time, up to rounding.
      let together = try place.run("caption", "photos", "--model", place.model)
      let alone = try (1...8).map {
        try place.run("caption", "photos/\($0).jpg", "--model", place.model).lines[0]
      }
      #expect(together.lines.count == 9 && !alone.contains(""))
      #expect(zip(alone, together.lines).allSatisfy { $1.hasSuffix($0) })
    }
  }

  @Test(arguments: [
    ["--beam-width", "1"], ["--beam-width", "64", "--captions", "64"], ["--max-length", "1"],
    ["--max-length", "1000", "--beam-width", "2"],
  ]) func extremesOfTheSearch(options: [String]) throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "photo.jpg")
      let outcome = try place.start(
        ["caption", photo, "--model", place.model, "--format", "json"] + options
      ).outcome()
      #expect(outcome.status == 0)
      let captions = try #require(try PrintedImage.lines(outcome)[0].captions)
      #expect(!captions.isEmpty && captions.allSatisfy(\.isSound))
      if options[1] == "64" { #expect(captions.count == 64 && Set(captions.map(\.caption)).count == 64) }
      if options == ["--max-length", "1"] { #expect(captions[0].words.count <= 2) }
    }
  }

  @Test(arguments: [
    ["caption"], ["caption", "x", "--beam-width", "0"], ["caption", "x", "--beam-width", "65"],
    ["caption", "x", "--captions", "4"], ["caption", "x", "--captions", "0"],
    ["caption", "x", "--max-length", "0"],
    ["caption", "x", "--max-length", "99999999999999999999"], ["caption", "x", "--threads", "0"],
    ["caption", "x", "--threads", "-1"], ["caption", "x", "--format", "xml"], ["caption", "-", "-"],
    ["capton", "x"],
    ["caption", "x", "--nothing"], ["score", "x"], ["train"], ["evaluate"], ["features"], ["vocabulary"],
    ["vocabulary", "--captions", "x", "--min-count", "0"],
    ["train", "--output", "x", "--epochs", "many"], ["inspect", "a", "b"],
    ["features", "x", "--encoder", "y", "--output", "z", "--preprocessing", "keras"],
  ]) func misuseIsTold(arguments: [String]) throws {
    try Workplace.with { place in
      let outcome = try place.start(arguments).outcome()
      #expect(outcome.status == 64 && outcome.output == "" && outcome.errors.contains("Usage:"))
    }
  }

  @Test func instructionSetsAgree() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/jpeg-444.jpg", as: "photo.jpg")
      let expected = try place.run("caption", photo, "--model", place.model)
      let baseline = try place.run(
        "caption", photo, "--model", place.model, environment: ["CAPTIONER_ISA": "baseline"])
      #expect(baseline.status == 0 && baseline.output == expected.output)
      let wrong = try place.run("caption", photo, environment: ["CAPTIONER_ISA": "mmx"])
      #expect(wrong.status == 64 && wrong.errors.contains("CAPTIONER_ISA: expected one of baseline"))
    }
  }

  @Test func everyCommandExplainsItself() throws {
    try Workplace.with { place in
      for command in ["caption", "score", "train", "evaluate", "features", "vocabulary", "inspect"] {
        let help = try place.run(command, "--help")
        #expect(help.status == 0 && help.output.contains("Examples:") && help.output.contains("--threads"))
      }
      #expect(try place.run("--version").status == 0)
    }
  }
}

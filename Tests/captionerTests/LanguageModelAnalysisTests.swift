import Foundation
import Kernels
import LanguageModels
import Support
import TestSupport
import Testing

/// `language-model n-gram`, `cells` and `gradients`.
@Suite struct LanguageModelAnalysisTests {
  private static let text: String = {
    var random = Random(seed: 1)
    return (0..<400).map { _ in
      let words = (0..<Int.random(in: 2...8, using: &random)).map { _ in
        ["the", "cat", "sat", "on", "a", "mat"].randomElement(using: &random)!
      }
      let said = words.joined(separator: " ")
      return Bool.random(using: &random) ? "\"\(said)\", he said (again)." : said + "."
    }.joined(separator: "\n")
  }()

  /// An untrained model of the text's characters.
  private static func model(
    _ place: Workplace, _ cell: CellName = .lstm, unit: TextUnit = .characters, layers: Int = 2
  ) throws -> String {
    let path = try place.file("text.txt", text)
    let vocabulary = try SourceText(contentsOf: [path], unit: unit)
      .vocabulary(minimumCount: 1, hasUnknown: true)
    var description = LanguageModelDescription(vocabulary, cell: cell, layers: layers, hiddenSize: 12)
    if cell.cell.directInput != nil { description.embeddingSize = 12 }
    var random = Random(seed: 2)
    let network = description.network { $0.untrained(using: &random) }
    let file = "\(place.folder)/\(cell.rawValue)-\(unit.rawValue).safetensors"
    try LanguageModel(description, network).write(to: file)
    return file
  }

  @Test func nGramScoresWhatIsHeldOut() throws {
    try Workplace.with { place in
      let text = try place.file("text.txt", Self.text)
      var bits: [Double] = []
      let all = try place.run(
        "language-model", "n-gram", text, "--order", "0", "--order", "1", "--order", "4", "--format", "json")
      #expect(all.status == 0, "\(all.errors)")
      let objects = try all.objects()
      try #require(objects.count == 3)
      for (order, object) in zip([0, 1, 4], objects) {
        #expect(object["order"] as? Int == order && object["unit"] as? String == "characters")
        let scalars = Self.text.unicodeScalars.count
        let heldOut = Int((Double(scalars) * 0.1).rounded())
        #expect(object["characters"] as? Int == scalars - heldOut && object["count"] as? Int == heldOut - 1)
        bits.append(try #require(object["bits_per_character"] as? Double))
      }
      // Letters alone are four bits or so; with four before them most are known.
      #expect(bits[0] > 3.5 && bits[0] < 4.7 && bits[1] < bits[0] - 1 && bits[2] < 1.2, "\(bits)")

      let other = try place.file("other.txt", "the cat sat. Ωmega")
      let run = try place.run("language-model", "n-gram", text, "--validation", other)
      #expect(run.status == 0 && run.output.contains("bits a character"))
      #expect(run.errors.contains("1 of 17 are not known"))
    }
  }

  @Test func nGramDraws() throws {
    try Workplace.with { place in
      let text = try place.file("text.txt", Self.text)
      func draw(_ more: String...) throws -> CaptionerProcess.Outcome {
        try place.start(
          ["language-model", "n-gram", text, "--order", "6", "--sample", "200"] + more
        ).outcome()
      }
      let one = try draw("--seed", "3")
      #expect(one.status == 0 && (200...201).contains(one.output.unicodeScalars.count), "\(one.errors)")
      #expect(try draw("--seed", "3").output == one.output && draw("--seed", "4").output != one.output)
      #expect(try draw("--prime", "the ca").output.hasPrefix("the cat"))
      let words = Set(one.output.split { !$0.isLetter }.dropLast().map(String.init))
      #expect(words.isSubset(of: ["the", "cat", "sat", "on", "a", "mat", "he", "said", "again"]))
    }
  }

  @Test func cellsWritesAPage() throws {
    try Workplace.with { place in
      let page = place.folder + "/cells.html"
      for cell in [CellName.lstm, CellName(RNN.self)] {
        let model = try Self.model(place, cell)
        let run = try place.run(
          "language-model", "cells", model, place.folder + "/text.txt", "--output", page, "--cell", "3",
          "--layer", "1", "--shown", "500", "--format", "json", "--picture", place.folder + "/cell.svg",
          "--property", "inside \"quotes\"")
        #expect(run.status == 0, "\(run.errors)")
        let rows = try run.objects()
        #expect(rows.contains { $0["property"] as? String == "inside \"quotes\"" && $0["auc"] is Double })
        #expect(
          rows.contains { $0["property"] as? String == "position in the line" && !($0["auc"] is Double) })
        #expect(rows.allSatisfy { (0..<12).contains($0["cell"] as? Int ?? -1) })
        let scores = rows.compactMap { $0["correlation"] as? Double }
        #expect(scores.count == rows.count && scores == scores.sorted(by: >))
        let html = try String(contentsOfFile: page, encoding: .utf8)
        #expect(html.contains("Cell 3") && html.contains("class=\"read\""))
        #expect(html.contains("Gate f") == (cell == .lstm))
        let picture = try String(contentsOfFile: place.folder + "/cell.svg", encoding: .utf8)
        let best = try #require(rows.first { $0["property"] as? String == "inside \"quotes\"" })
        let number = try #require(best["cell"] as? Int)
        #expect(picture.contains("inside &quot;quotes&quot;. Cell \(number)"))
      }
    }
  }

  @Test func gradientsWritesPages() throws {
    try Workplace.with { place in
      let page = place.folder + "/gradients.html"
      var run = try place.run(
        "language-model", "gradients", "--output", page, "--hidden-size", "10", "--steps", "20", "--format",
        "json")
      #expect(run.status == 0, "\(run.errors)")
      let rows = try run.objects()
      let states = recurrentCells.reduce(0) { $0 + $1.states }
      #expect(rows.count == states && rows.allSatisfy { ($0["norms"] as? [Double])?.count == 20 })
      let html = try String(contentsOfFile: page, encoding: .utf8)
      #expect(html.contains("ρ = 1.5") && html.contains("clipped to 1.0") && html.contains("lstm, gate f"))

      let model = try Self.model(place)
      for text in [["--text", place.folder + "/text.txt"], []] {
        run = try place.start(
          ["language-model", "gradients", model, "--output", page, "--steps", "12"] + text
        ).outcome()
        #expect(run.status == 0 && run.lines.count == 4, "\(run.errors)")
        #expect(run.output.contains("layer 2 c: 1 steps back"))
        #expect(try String(contentsOfFile: page, encoding: .utf8).contains("W_hh of layer 2"))
      }
    }
  }

  /// One line that says what is wrong, and nothing is written.
  @Test func whatIsWrongIsALine() throws {
    try Workplace.with { place in
      let model = try Self.model(place)
      let words = try Self.model(place, unit: .words)
      let text = place.folder + "/text.txt"
      let page = place.folder + "/page.html"
      let empty = try place.file("empty.txt", "")
      let short = try place.file("short.txt", "a")
      let bytes = try place.file("bytes.txt", Data([0x61, 0xFF, 0x62]))
      for (arguments, status, expected) in [
        (["n-gram", empty], 1, "empty.txt: the file: expected a text, found an empty file"),
        (["n-gram", short], 1, "expected 2 characters at least, found 0"),
        (["n-gram", bytes], 1, "bytes.txt: byte 1: expected UTF-8 text"),
        (["n-gram", text, "--validation", short], 1, "short.txt: expected 2 characters at least, found 1"),
        (["n-gram", text, "--order", "33"], 64, "--order: expected 0 to 32, found 33"),
        (
          ["n-gram", text, "--order", "3", "--order", "4", "--sample", "9"], 64,
          "--order: only once with --sample"
        ),
        (["n-gram", text, "--prime", "a"], 64, "--prime: only with --sample"),
        (["n-gram", text, "--sample", "9", "--format", "json"], 64, "--sample: only without"),
        (["cells", words, text, "--output", page], 1, "expected one of characters, found one of words"),
        (["cells", model, short, "--output", page], 1, "expected 200 characters at least, found 1"),
        (["cells", model, text, "--output", page, "--layer", "3"], 64, "--layer: expected 1 to 2, found 3"),
        (["cells", model, text, "--output", page, "--cell", "12"], 64, "--cell: expected 0 to 11, found 12"),
        (["cells", model, text, "--output", page, "--property", "x"], 64, "--property: only with --picture"),
        (
          ["cells", model, text, "--output", page, "--picture", page + ".svg", "--property", "x"], 64,
          "--property: expected one of "
        ),
        (
          ["cells", model, text, "--output", page, "--picture", text], 1, "choose another file for --picture"
        ),
        (["cells", model, text, "--output", text], 1, "it is read; choose another file for --output"),
        (["cells", text, text, "--output", page], 1, "text.txt"),
        (["gradients", "--output", page, "--text", text], 64, "--text: only with a model"),
        (
          ["gradients", model, "--output", page, "--hidden-size", "9"], 64,
          "--hidden-size: only without a model"
        ),
        (["gradients", model, "--output", page, "--text", short], 1, "expected 102 characters at least"),
        (["gradients", "--output", page, "--steps", "1"], 64, "--steps: expected 2 to 2000, found 1"),
      ] as [([String], Int32, String)] {
        let run = try place.start(["language-model"] + arguments).outcome()
        #expect(run.status == status && run.errors.contains(expected), "\(arguments): \(run.errors)")
        #expect(!FileManager.default.fileExists(atPath: page), "\(arguments)")
      }
    }
  }

  /// A line of millions of one character, and characters that are all different.
  @Test func hostileTexts() throws {
    try Workplace.with { place in
      let line = try place.file("line.txt", String(repeating: "a", count: 3_000_000))
      var run = try place.run("language-model", "n-gram", line, "--order", "12", "--format", "json")
      let bits = try run.objects().first?["bits_per_character"] as? Double
      #expect(run.status == 0 && bits ?? 9 < 0.001)
      let all = (0x100..<0x1_0000).compactMap { Unicode.Scalar($0).map { String($0) } }.joined()
      run = try place.run("language-model", "n-gram", place.file("all.txt", all))
      #expect(run.status == 0, "\(run.errors)")
      let more = all + (0x1_0000..<0x1_2000).compactMap { Unicode.Scalar($0).map { String($0) } }.joined()
      run = try place.run("language-model", "n-gram", place.file("more.txt", more), "--validation", line)
      #expect(run.status == 1 && run.complaints.count == 1, "\(run.errors)")
      #expect(run.errors.contains("expected fewer than 65536 different characters"))
    }
  }
}

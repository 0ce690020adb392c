import Models
import Decoding
import Datasets
import Evaluation
import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import Reporting

@Suite struct ReportTests {
  private static let nasty = "<img src=x onerror=alert(1)> </script> \\\"dog\\\" & 'é"

  /// A report on images whose captions mean harm; every third photo is missing.
  private func write(_ count: Int, looks: Bool = false, in folder: String) throws -> String {
    let model = folder + "/model.safetensors"
    try TinyNetwork.writeModel(to: model)
    let names = (0..<count).map { "\($0)<b>.jpg" }
    for (number, name) in names.enumerated() where number % 3 != 2 {
      try FileManager.default.copyItem(atPath: photo("decode/jpeg-444.jpg"), toPath: folder + "/" + name)
    }
    let images = names.enumerated().map { #"{"id": \#($0), "file_name": "\#($1)"}"# }
    let annotations = names.indices.flatMap { image in
      [Self.nasty, "a dog"].map { #"{"image_id": \#(image), "caption": "\#($0)"}"# }
    }
    let json =
      #"{"images": [\#(images.joined(separator: ","))], "annotations": [\#(annotations.joined(separator: ","))]}"#
    try json.write(toFile: folder + "/captions.json", atomically: true, encoding: .utf8)
    let dataset = try CaptionDataset(path: folder + "/captions.json", images: folder)
    var random = Random(seed: 4)
    let captioner = try CaptionModel(contentsOf: model, caching: .resident)
    let evaluator = Evaluator(
      LoadedModel(
        captioner, maps: Tensor(uniform: [count, TinyNetwork.pooledSize], limit: 2, using: &random)),
      dataset.images.map { EvaluatedImage($0, captioner.description.vocabulary) })
    let options = BeamOptions(beamWidth: 3, captions: 2, maximumLength: 6)
    let evaluation = evaluator.evaluate(.beam(options))
    let confidences = (0..<count).map { Double($0) / Double(count) }
    var report = Report(
      title: Self.nasty, subtitle: Self.nasty, evaluation: evaluation,
      trust: Trust(
        threshold: 0.5, reliability: Reliability(confidences, confidences.map { $0 > 0.5 }),
        confidences: confidences, isModels: false),
      retrieval: evaluator.retrieval(images: count) { _ in },
      sweep: evaluator.sweep([options]) { _ in })
    if looks {
      let explanations = evaluation.rows.map { row in
        Explanation(
          kind: .attention, rows: 1, columns: 3,
          weights: row.caption.words.map { _ in [0, 0.25, 0.5] })
      }
      report.looks = GalleryLooks(
        Dictionary(uniqueKeysWithValues: explanations.enumerated().map { ($0, $1) }), seen: .torchvision)
    }
    try report.write(to: folder + "/out put.html")
    return try String(contentsOfFile: folder + "/out put.html", encoding: .utf8)
  }

  @Test func everythingIsEscaped() throws {
    try withTemporaryFolder { folder in
      let html = try write(7, in: folder)
      #expect(!html.contains("<img") && !html.contains("onerror=alert(1)>") && !html.contains("<b>.jpg"))
      #expect(html.components(separatedBy: "</script>").count == 3)
      #expect(html.contains("&lt;img src=x onerror=alert(1)&gt;"))
      let start = try #require(html.range(of: #"id="data">"#))
      let end = try #require(html.range(of: "</script>", range: start.upperBound..<html.endIndex))
      let data = Data(html[start.upperBound..<end.lowerBound].utf8)
      let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
      let rows = try #require(object["rows"] as? [[String: Any]])
      #expect(rows.count == 7 && (rows[0]["c"] as? [Any])?.count == 2)
      let references = try #require(rows[0]["r"] as? [[String: Any]])
      #expect(references[0]["x"] as? String == "<img src=x onerror=alert(1)> </script> \"dog\" & 'é")
      // Few thumbnails are in the page; photos that are missing have none.
      #expect((rows[0]["s"] as? String)?.hasPrefix("data:image/jpeg;base64,") == true && rows[2]["s"] == nil)
    }
  }

  @Test func saysWhereTheModelLooked() throws {
    try withTemporaryFolder { folder in
      let html = try write(4, looks: true, in: folder)
      #expect(html.contains(#""looks":{"attends":true,"columns":3,"crop":[0.875,0.875],"rows":1}"#))
      #expect(html.contains(#"{"b":"0iz","m":500}"#))
    }
    let without = try withTemporaryFolder { try write(4, in: $0) }
    #expect(!without.contains(#""looks""#))
  }

  @Test func manyThumbnailsGoBesideThePage() throws {
    try withTemporaryFolder { folder in
      let html = try write(Report.embeddingLimit + 3, in: folder)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder + "/out put-images")
      #expect(files.count == 42 && files.contains("0.jpg"))
      #expect(html.contains("out%20put-images/0.jpg") && !html.contains("data:image/jpeg"))
    }
  }

  @Test func aFolderThatCannotBeMadeIsNamed() throws {
    #expect(throws: ReportError.self) {
      _ = try Thumbnails(
        (0...Report.embeddingLimit).map { ($0, "nowhere") }, page: "/nowhere/at/all.html", progress: { _ in })
    }
    #expect(Thumbnails.folder(of: "a/b.html") == "a/b-images" && Thumbnails.folder(of: "b") == "b-images")
  }

  @Test func ofManyPhotosTheBestMiddlingAndWorstAreShown() {
    let scores = (0..<30).map { Double(($0 * 7) % 30) }
    let shown = Report.selection(scores, limit: 9)
    #expect(shown == shown.sorted() && shown.count == 9)
    #expect(Set(shown.map { scores[$0] }) == [0, 1, 2, 13, 14, 15, 27, 28, 29])
    #expect(Report.selection(scores, limit: 30) == Array(0..<30))
  }

  /// Where Chromium is installed, the page's script runs in it, without an error.
  @Test(.enabled(if: hasChromium), arguments: [false, true]) func theScriptRuns(looks: Bool) throws {
    try withTemporaryFolder { folder in
      _ = try write(5, looks: looks, in: folder)
      let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
      let process = Process()
      process.executableURL = root.appendingPathComponent("tools/screenshot")
      process.arguments = ["--check", folder + "/out put.html"]
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(text.contains("5 photos, 8 cards, no errors"))
    }
  }
}

private let hasChromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
  .contains { FileManager.default.isExecutableFile(atPath: $0) }

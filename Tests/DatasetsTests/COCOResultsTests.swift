import Datasets
import Foundation
import TestSupport
import Testing

@Test func resultsSurviveTheirFile() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/results.json"
    let results = [
      CaptionResult(imageID: 42, caption: "a \"dog\" / 😀", logProb: -7.5),
      CaptionResult(imageID: -1, caption: ""),
      CaptionResult(imageID: 9_007_199_254_740_993, caption: "a cat", logProb: 0),
    ]
    try CaptionResult.write(results, to: path)
    #expect(try CaptionResult.read(from: path) == results)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.hasPrefix("[\n{\"caption\":\"a \\\"dog\\\" / 😀\",\"image_id\":42,\"log_prob\":-7.5},\n"))
    try CaptionResult.write([], to: path)
    #expect(try CaptionResult.read(from: path) == [])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["results.json"])
  }
}

@Test func aLogProbabilityThatIsNoNumberIsLeftOut() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/results.json"
    let odd: [Float] = [-.infinity, .nan, .infinity]
    try CaptionResult.write(
      odd.enumerated().map { CaptionResult(imageID: $0, caption: "a", logProb: $1) }, to: path)
    #expect(try CaptionResult.read(from: path).map(\.logProb) == [nil, nil, nil])
  }
}

@Test func badResultsAreRefused() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/results.json"
    func read(_ json: String) throws -> [CaptionResult] {
      try json.write(toFile: path, atomically: false, encoding: .utf8)
      return try CaptionResult.read(from: path)
    }
    let extra = try read(#"[{"image_id": 1, "caption": "x", "id": 7}]"#)
    #expect(extra == [CaptionResult(imageID: 1, caption: "x")])
    #expect(throws: DatasetError.duplicate(path: path, location: "[1].image_id", id: 1)) {
      try read(#"[{"image_id": 1, "caption": "x"}, {"image_id": 1, "caption": "y"}]"#)
    }
    #expect(throws: DatasetError.missing(path: path, location: "[0].caption")) {
      try read(#"[{"image_id": 1}]"#)
    }
    #expect(
      throws: DatasetError.unexpected(
        path: path, location: "[0].image_id", expected: "an integer", found: "null")
    ) { try read(#"[{"image_id": null, "caption": "x"}]"#) }
    #expect(try read(#"[{"image_id": "1", "caption": "x"}]"#) == [CaptionResult(imageID: 1, caption: "x")])
    #expect(throws: DatasetError.self) { try read(#"{"image_id": 1}"#) }
  }
  #expect(throws: DatasetError.self) { try CaptionResult.write([], to: "/nowhere/results.json") }
}

import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct MergeCommandTests {
  /// Parts of a folder, put together, are what one process makes of it: captions that are drawn too.
  @Test(arguments: ["jsonl", "csv"]) func captionsOfPartsAreThoseOfTheWhole(ending: String) throws {
    try Workplace.with { place in
      _ = try place.dataset()
      try place.file("photos/5.jpg", "no photo")
      func caption(_ output: String, _ more: String...) throws -> CaptionerProcess.Outcome {
        try place.start(
          ["caption", "photos", "--model", place.model, "--sample", "--captions", "2", "--output", output]
            + more
        ).outcome()
      }
      func images(_ name: String) throws -> [String] {
        let text = try String(contentsOfFile: place.folder + "/" + name, encoding: .utf8)
        return text.split(separator: "\n").map {
          let fields = $0.split(separator: ending == "csv" ? "," : "\"")
          return fields.prefix(ending == "csv" ? 3 : 4).joined(separator: " ")
        }
      }
      #expect(try caption("whole.\(ending)").status == 1)
      for number in 1...3 {
        let outcome = try caption("part\(number).\(ending)", "--shard", "\(number)/3")
        #expect(outcome.status == (number == 2 ? 1 : 0), "\(outcome.errors)")
      }
      let parts = (1...3).map { "part\($0).\(ending)" }
      let merged = try place.start(["merge"] + parts + ["--output", "merged.\(ending)"]).outcome()
      #expect(merged.status == 0 && merged.errors.contains("8 images, 1 of which failed"), "\(merged.errors)")
      #expect(try images("merged.\(ending)") == images("whole.\(ending)"))
      let twice = try place.start(["merge", parts[0], parts[0], "--output", "none"]).outcome()
      #expect(twice.status == 1 && twice.errors.contains("1.jpg is in \(parts[0]) too"))
      let path = place.folder + "/" + parts[2]
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      try bytes.dropLast(3).write(to: URL(fileURLWithPath: path))
      let torn = try place.start(["merge"] + parts + ["--output", "none"]).outcome()
      #expect(torn.status == 1 && torn.errors.contains("cut short"))
      #expect(!FileManager.default.fileExists(atPath: place.folder + "/none"))
    }
  }

  @Test func featuresOfPartsAreThoseOfTheWhole() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      func features(_ output: String, _ more: String...) throws -> CaptionerProcess.Outcome {
        try place.start(["features", "photos", "--encoder", place.model, "--output", output] + more).outcome()
      }
      #expect(try features("whole").status == 0)
      for number in 1...3 { #expect(try features("p\(number)", "--shard", "\(number)/3").status == 0) }
      let merged = try place.run("merge", "p1", "p2", "p3", "--output", "merged")
      #expect(merged.status == 0 && merged.errors.contains("features of 8 images"), "\(merged.errors)")
      // Gone on with, it has all rows.
      let again = try features("merged")
      #expect(again.status == 0 && again.errors.contains("8 images are there already"), "\(again.errors)")
      let (one, other) = try (
        SafetensorsFile(path: place.folder + "/whole"), SafetensorsFile(path: place.folder + "/merged")
      )
      #expect(one.metadata == other.metadata && one.entries.keys == other.entries.keys)
      // A photo by itself is computed in another way than among many.
      #expect(
        relativeError(try one.tensor(named: "features"), try other.tensor(named: "features")) < 1e-4)
      #expect(try features("v", "--tap", "map2x2", "--shard", "1/2").status == 0)
      let mixed = try place.run("merge", "p1", "v", "--output", "none")
      #expect(mixed.status == 1 && mixed.errors.contains("v: "), "\(mixed.errors)")
      #expect(try features("w", "--shard", "9/9").status == 1)
    }
  }
}

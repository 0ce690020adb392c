import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct FeaturesCommandTests {
  private func statuses(_ path: String, count: Int) throws -> [UInt8] {
    // The statuses are the last bytes of the file.
    Array(try Data(contentsOf: URL(fileURLWithPath: path)).suffix(count))
  }

  @Test(arguments: [("fc", 16), ("map2x2", 16), ("map7x7", 196)]) func writesEveryTap(tap: String, width: Int)
    throws
  {
    try Workplace.with { place in
      _ = try place.dataset()
      // A name of one letter, in the working folder.
      let outcome = try place.run(
        "features", "photos", "--encoder", place.model, "--tap", tap, "--output", "f")
      #expect(outcome.status == 0 && outcome.output == "" && outcome.complaints.isEmpty)
      let file = try SafetensorsFile(path: place.folder + "/f")
      let features = try file.tensor(named: "features")
      #expect(features.shape == [8, width])
      #expect(features.scalars.allSatisfy { $0 >= 0 && $0.isFinite } && features.scalars.contains { $0 > 0 })
      #expect(Set((0..<8).map { features.row($0).scalars }).count == 8)
      let names = try JSONDecoder().decode([String].self, from: Data((file.metadata["names"] ?? "").utf8))
      #expect(names == (1...8).map { "photos/\($0).jpg" })
      #expect(try statuses(place.folder + "/f", count: 8) == [UInt8](repeating: 1, count: 8))
    }
  }

  /// Photos are decoded as a file's were; that of an earlier version says nothing, and its photos were decoded exactly.
  @Test func aFileKeepsItsDecoding() throws {
    try Workplace.with { place in
      let large = photo("scaled/444.jpg")
      func run(_ output: String, _ options: String...) throws -> CaptionerProcess.Outcome {
        try place.start(["features", large, "--encoder", place.model, "--output", output] + options).outcome()
      }
      func features(_ name: String) throws -> [Float] {
        try SafetensorsFile(path: "\(place.folder)/\(name)").tensor(named: "features").scalars
      }
      #expect(try run("scaled").complaints.isEmpty && run("exact", "--exact-decoding").complaints.isEmpty)
      let (scaled, exact) = (try features("scaled"), try features("exact"))
      #expect(scaled != exact)
      let again = try run("exact")
      #expect(again.status == 0 && again.errors.contains("exact: its photos were decoded exactly"))
      #expect(try features("exact") == exact)
      let refused = try run("scaled", "--exact-decoding")
      #expect(refused.status == 1 && refused.errors.contains("leave out --exact-decoding"))
      #expect(try features("scaled") == scaled)
    }
  }

  /// Two images are missing; they come one after the other, and only what is missing is computed.
  @Test func goesOnWhereItStopped() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      let output = place.folder + "/features.safetensors"
      let paths = (1...8).map { "photos/\($0).jpg" }
      func run() throws -> CaptionerProcess.Outcome {
        try place.start(["features"] + paths + ["--encoder", place.model, "--output", output]).outcome()
      }
      #expect(try run().status == 0)
      // All but the stamps: moving a photo changes one of its times.
      func features() throws -> [Float] {
        try SafetensorsFile(path: output).tensor(named: "features").scalars
      }
      let whole = try features()
      try FileManager.default.removeItem(atPath: output)
      for name in ["3.jpg", "6.jpg"] {
        try FileManager.default.moveItem(
          atPath: "\(place.folder)/photos/\(name)", toPath: "\(place.folder)/\(name)")
      }
      let first = try run()
      #expect(first.status == 1 && first.complaints.count == 3)
      #expect(try statuses(output, count: 8) == [1, 1, 2, 1, 1, 2, 1, 1])
      // A row that a killed process did not mark is done again.
      var partial = try Data(contentsOf: URL(fileURLWithPath: output))
      partial[partial.count - 8] = 0
      try partial.write(to: URL(fileURLWithPath: output))
      for name in ["3.jpg", "6.jpg"] {
        try FileManager.default.moveItem(
          atPath: "\(place.folder)/\(name)", toPath: "\(place.folder)/photos/\(name)")
      }
      let second = try run()
      #expect(second.status == 0 && second.complaints == ["\(output): 5 images are there already"])
      #expect(try features() == whole && statuses(output, count: 8) == Array(repeating: 1, count: 8))
      let third = try run()
      #expect(third.status == 0 && third.complaints == ["\(output): 8 images are there already"])
    }
  }

  @Test func otherFeaturesAreNotMixed() throws {
    try Workplace.with { place in
      _ = try place.dataset()
      let good = ["features", "photos", "--encoder", place.model, "--output", "features"]
      #expect(try place.start(good).outcome().status == 0)
      let before = try Data(contentsOf: URL(fileURLWithPath: place.folder + "/features"))
      try TinyNetwork.writeModel(to: place.folder + "/other", tensors: TinyNetwork.tensors(seed: 2))
      try place.file("text", "no features")
      try place.file("cut", before.dropLast())
      for (arguments, complaint) in [
        (["--tap", "map7x7"], "features: expected features of map7x7, "),
        (
          ["--encoder", "other"],
          "features: expected features of other weights, found those of other weights: name "
        ),
        (["--preprocessing", "caffe"], "features: expected features of another preprocessing, found "),
        (
          ["photos/1.jpg"], "features: expected the features [9, 16] of these images, found [8, 16] of others"
        ),
        (["--output", "text"], "text: not a feature file: "),
        (["--output", "cut"], "cut: not a feature file: "),
        (["--output", "photos"], "photos: can't write: not a regular file"),
        (["--output", "nowhere/f"], "nowhere/f: can't write: No such file or directory"),
      ] {
        let outcome = try place.start(good + arguments).outcome()
        #expect(outcome.status == 1 && outcome.complaints.count == 1, "\(arguments)")
        #expect(outcome.errors.hasPrefix("captioner: " + complaint), "\(outcome.errors)")
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: place.folder + "/features")) == before)
      #expect(try place.leftovers() == [])
      try place.makeFolder("empty")
      let none = try place.run("features", "empty", "--encoder", place.model, "--output", "f")
      #expect(none.status == 1 && none.complaints == ["captioner: empty: found no files"])
    }
  }

  @Test func aFullHeadIsNeededForFC() throws {
    try Workplace.with { place in
      try place.photo("decode/png-rgb.png", as: "photo.png")
      try TinyNetwork.writeConvolutions(to: place.folder + "/vgg")
      let fc = try place.run("features", "photo.png", "--encoder", "vgg", "--tap", "fc", "--output", "f")
      #expect(fc.status == 1 && fc.errors.hasPrefix("captioner: vgg: expected FC layers"))
      #expect(try place.run("features", "photo.png", "--encoder", "vgg", "--output", "f").status == 0)
      #expect(try SafetensorsFile(path: place.folder + "/f").entries["features"]?.shape == [1, 16])
    }
  }
}

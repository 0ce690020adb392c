internal import Foundation
import Tensors
import Testing

@testable import Imaging

struct PreprocessingTests {
  private func image(_ name: String) throws -> RGBImage {
    try RGBImage(contentsOf: FixtureFiles.folder + "preprocess/\(name).png")
  }

  /// Files are named `61x45_short32_crop28.ppm` and come from `61x45.png`.
  @Test(arguments: FixtureFiles.names(in: "preprocess", suffixes: ".ppm"))
  func shortSideAndCropEqualTorchvision(name: String) throws {
    let parts = name.dropLast(4).split(separator: "_")
    let short = try #require(Int(parts[1].dropFirst(5)))
    let crop = try #require(Int(parts[2].dropFirst(4)))
    let preprocessing = try Preprocessing(
      width: crop, height: crop, resize: .shortSideThenCenterCrop(shortSide: short), channelOrder: .rgb,
      scale: .unit, mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    #expect(
      preprocessing.fitted(try image(String(parts[0]))) == (try FixtureFiles.golden("preprocess/" + name)))
  }

  @Test func tensorsEqualTorchvisionAndCaffe() throws {
    let image = try image("61x45")
    let torchvision = try Preprocessing(
      width: 24, height: 20, resize: .shortSideThenCenterCrop(shortSide: 28), channelOrder: .rgb,
      scale: .unit,
      mean: Preprocessing.torchvision.mean, standardDeviation: Preprocessing.torchvision.standardDeviation)
    let caffe = try Preprocessing(
      width: 24, height: 20, resize: .stretch, channelOrder: .bgr, scale: .bytes,
      mean: Preprocessing.caffe.mean,
      standardDeviation: [1, 1, 1])
    for (preprocessing, file) in [(torchvision, "torchvision"), (caffe, "caffe")] {
      let golden = try FixtureFiles.floats("preprocess/\(file).f32")
      let tensor = preprocessing.apply(image)
      #expect(tensor.shape == [20, 24, 3])
      #expect(tensor.scalars == golden, "\(file)")
    }
  }

  /// The window of a stretch is what the whole stretch has there.
  @Test func stretchesAreCropped() throws {
    func fitted(_ width: Int, _ height: Int, _ rule: Preprocessing.ResizeRule) throws -> RGBImage {
      try Preprocessing(
        width: width, height: height, resize: rule, channelOrder: .rgb, scale: .unit, mean: [0, 0, 0],
        standardDeviation: [1, 1, 1]
      ).fitted(image("61x45"))
    }
    let whole = try fitted(32, 32, .stretch)
    let cut = try fitted(24, 20, .stretchThenCrop(side: 32, margin: 3))
    for row in 0..<20 {
      let (start, wholeStart) = (row * 72, ((row + 3) * 32 + 3) * 3)
      #expect(cut.pixels[start..<start + 72] == whole.pixels[wholeStart..<wholeStart + 72])
    }
    #expect(throws: PreprocessingError.self) { try fitted(24, 20, .stretchThenCrop(side: 23, margin: 0)) }
    #expect(throws: PreprocessingError.self) { try fitted(24, 20, .stretchThenCrop(side: 32, margin: 9)) }
  }

  @Test func presetsFitAnyProportions() {
    for (width, height) in [(1, 1), (640, 480), (3, 2000), (2000, 3), (224, 225)] {
      let image = RGBImage(
        width: width, height: height, pixels: [UInt8](repeating: 128, count: width * height * 3))
      for preprocessing in [Preprocessing.torchvision, .caffe] {
        let tensor = preprocessing.apply(image)
        #expect(tensor.shape == [224, 224, 3])
        let first = [tensor[0], tensor[1], tensor[2]]
        #expect(tensor.scalars == (0..<tensor.count).map { first[$0 % 3] })
      }
    }
  }

  @Test func codingGivesTheSameBack() throws {
    let cut = try Preprocessing(
      width: 24, height: 20, resize: .stretchThenCrop(side: 32, margin: 3), channelOrder: .rgb, scale: .bytes,
      mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    for preprocessing in [Preprocessing.torchvision, .caffe, cut] {
      let data = try JSONEncoder().encode(preprocessing)
      #expect(try JSONDecoder().decode(Preprocessing.self, from: data) == preprocessing)
    }
  }

  @Test(arguments: [
    (#""width":224"#, #""width":0"#), (#""width":224"#, #""width":1e300"#),
    (#""height":224"#, #""height":-224"#),
    (#""width":224"#, #""width":257"#), (#""shortSide":256"#, #""shortSide":223"#),
    (#""shortSide":256,"#, ""),
    (#""scale":"0..1""#, #""scale":"0..2""#), (#""mean":[0.485,"#, #""mean":["#),
    (#""mean":[0.485,"#, #""mean":[1e39,"#), (#""standardDeviation":[0.229,"#, #""standardDeviation":[0,"#),
    (#""channelOrder":"rgb""#, #""channelOrder":"xyz""#),
  ])
  func nonsenseIsRefused(original: String, nonsense: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let text = String(decoding: try encoder.encode(Preprocessing.torchvision), as: UTF8.self)
    #expect(text.contains(original))
    let changed = text.replacingOccurrences(of: original, with: nonsense)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Preprocessing.self, from: Data(changed.utf8))
    }
  }

  @Test func weightsMetadata() throws {
    let metadata = [
      "mean": "103.939,116.779,123.68", "scale": "0..255", "channel_order": "BGR", "format": "pt",
    ]
    #expect(try Preprocessing(weightsMetadata: metadata) == .caffe)
    #expect(try Preprocessing(weightsMetadata: ["format": "pt"]) == nil)
    for (key, value) in [
      ("mean", "1,2"), ("mean", "a,b,c"), ("scale", "0..7"), ("channel_order", "RBG"), ("width", "wide"),
      ("short_side", "100"), ("height", "0"),
    ] {
      #expect(throws: PreprocessingError.self) {
        try Preprocessing(weightsMetadata: metadata.merging([key: value]) { $1 })
      }
    }
    #expect(throws: PreprocessingError.self) { try Preprocessing(weightsMetadata: ["scale": "0..255"]) }
    let own = try Preprocessing(
      width: 64, height: 48, resize: .shortSideThenCenterCrop(shortSide: 80), channelOrder: .rgb,
      scale: .unit,
      mean: [0.1, -0.25, 1e-7], standardDeviation: [1, 2, 1 / 3])
    for preprocessing in [.caffe, .torchvision, own] {
      #expect(try Preprocessing(weightsMetadata: preprocessing.weightsMetadata) == preprocessing)
    }
    #expect(Preprocessing.caffe.weightsMetadata == metadata.filter { $0.key != "format" })
  }
}

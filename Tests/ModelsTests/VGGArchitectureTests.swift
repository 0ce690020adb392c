import Foundation
import Tensors
import TestSupport
import Testing

@testable import Models

/// Writes a file of tensors of the given shapes, all zero and lying over each other: bytes do not matter here.
private func fileOfShapes(_ shapes: [String: [Int]], at path: String) throws -> SafetensorsFile {
  let size = shapes.values.map { $0.reduce(1, *) }.max() ?? 0
  let header = shapes.mapValues { shape in
    ["dtype": "U8", "shape": shape, "data_offsets": [0, shape.reduce(1, *)]] as [String: Any]
  }
  let json = try JSONSerialization.data(withJSONObject: header)
  var bytes = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
  bytes.append(json)
  try bytes.write(to: URL(fileURLWithPath: path))
  truncate(path, off_t(bytes.count + size))
  return try SafetensorsFile(path: path)
}

/// torchvision's VGG: its indexes and shapes.
private func torchvision(
  _ depth: Int, full: Bool, prefix: String = "", normalized: Bool = false
) throws -> [String: [Int]] {
  var shapes: [String: [Int]] = [:]
  var network = try #require(VGGArchitecture.vgg(depth, head: .none))
  network.batchNormalization = normalized
  for layer in network.convolutions {
    shapes["\(prefix)features.\(layer.index).weight"] = [layer.outputChannels, layer.inputChannels, 3, 3]
    shapes["\(prefix)features.\(layer.index).bias"] = [layer.outputChannels]
    guard normalized else { continue }
    for kind in ["weight", "bias", "running_mean", "running_var"] {
      shapes["\(prefix)features.\(layer.index + 1).\(kind)"] = [layer.outputChannels]
    }
    shapes["\(prefix)features.\(layer.index + 1).num_batches_tracked"] = []
  }
  if full {
    shapes[prefix + "classifier.0.weight"] = [4096, 25088]
    shapes[prefix + "classifier.3.weight"] = [4096, 4096]
    shapes[prefix + "classifier.6.weight"] = [1000, 4096]
  }
  return shapes
}

@Suite struct VGGArchitectureTests {
  @Test func torchvisionNumbersItsLayersSo() throws {
    let vgg16 = try #require(VGGArchitecture.vgg(16, head: .full))
    #expect(vgg16.convolutions.map(\.index) == [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28])
    #expect(vgg16.table == "64,64,pool,128,128,pool,256,256,256,pool,512,512,512,pool,512,512,512,pool")
    #expect(vgg16.pooledSize == 25088 && vgg16.name == "VGG-16")
    let vgg11 = try #require(VGGArchitecture.vgg(11, head: .compact))
    #expect(vgg11.convolutions.map(\.index) == [0, 3, 6, 8, 11, 13, 16, 18])
    #expect(vgg11.convolutions.map(\.pool) == [true, true, false, true, false, true, false, true])
    #expect(vgg11.pooledSize == 2048 && VGGArchitecture.vgg(12, head: .none) == nil)
  }

  @Test(arguments: [11, 13, 16, 19], [true, false]) func isReadOffTheTensors(depth: Int, full: Bool) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/vgg.safetensors"
      for prefix in ["", "encoder."] {
        let file = try fileOfShapes(torchvision(depth, full: full, prefix: prefix), at: path)
        let expected = VGGArchitecture.vgg(depth, head: full ? .full : .none)
        #expect(try VGGArchitecture(weights: file, prefix: prefix) == expected)
      }
    }
  }

  /// torchvision's numbers with batch normalisation, and keys that are missing or mixed up.
  @Test func batchNormalization() throws {
    var vgg11 = try #require(VGGArchitecture.vgg(11, head: .none))
    vgg11.batchNormalization = true
    #expect(vgg11.convolutions.map(\.index) == [0, 4, 8, 11, 15, 18, 22, 25])
    let cut = try #require(vgg11.cut(before: "conv3_1"))
    #expect(cut.frozen?.batchNormalization == true)
    #expect(TrainableConvolutions(cut) { Tensor(zeros: $0.shape) }.parameters.count == 36)
    try withTemporaryFolder { folder in
      let path = folder + "/vgg.safetensors"
      let whole = try torchvision(11, full: true, normalized: true)
      let file = try fileOfShapes(whole, at: path)
      let found = try VGGArchitecture(weights: file)
      #expect(found.layers == vgg11.layers && found.batchNormalization && found.head == .full)
      let changes: [(key: String, shape: [Int]?, says: String)] = [
        ("features.9.running_var", nil, "features.9.running_var of shape [256]"),
        ("features.9.bias", [128], "found shape [128]"),
        ("features.9.weight", nil, "features.9.weight of shape [256]"),
        ("features.8.weight", nil, "features.8.weight of a convolution"),
        ("features.2.weight", [64], "features.1.weight of a convolution before"),
      ]
      for (key, shape, says) in changes {
        var shapes = whole
        shapes[key] = shape
        let file = try fileOfShapes(shapes, at: path)
        let error = #expect(throws: ModelError.self) { try VGGArchitecture(weights: file) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(says) && !text.contains("\n"), "\(key): \(text)")
      }
    }
  }

  @Test func compactHeadsToo() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/vgg.safetensors"
      var shapes = try torchvision(11, full: false)
      shapes["classifier.0.weight"] = [300, 2048]
      let one = try VGGArchitecture(weights: fileOfShapes(shapes, at: path))
      #expect(one.head == .compact && one.featureSize == 300)
      shapes["classifier.3.weight"] = [300, 300]
      #expect(try VGGArchitecture(weights: fileOfShapes(shapes, at: path)).head == .compact2)
    }
  }

  @Test func othersAreRefused() throws {
    let plain = try torchvision(11, full: false)
    let changes: [(String, [String: [Int]])] = [
      ("batch normalisation", ["features.1.weight": [64], "features.1.bias": [64]]),
      ("a gap", ["features.30.weight": [512, 512, 3, 3]]),
      ("names that are no numbers", ["features.x.weight": [1, 1, 3, 3]]),
      ("a negative index", ["features.-1.weight": [1, 1, 3, 3]]),
      ("a huge index", ["features.9223372036854775807.weight": [1, 1, 3, 3]]),
      ("FC over another map", ["classifier.0.weight": [4096, 2049]]),
      ("FC of another rank", ["classifier.0.weight": [4096, 512, 7, 7]]),
      ("a full head of one layer", ["classifier.0.weight": [4096, 25088]]),
      ("an FC layer that is too wide", ["classifier.0.weight": [65537, 2048]]),
      ("no width at all", ["features.0.weight": [0, 3, 3, 3]]),
    ]
    try withTemporaryFolder { folder in
      let path = folder + "/vgg.safetensors"
      for (name, change) in changes {
        let file = try fileOfShapes(plain.merging(change) { $1 }, at: path)
        #expect(throws: ModelError.self, "\(name)") { try VGGArchitecture(weights: file) }
      }
      // More channels than numbers can count, in a tensor without scalars.
      let huge = ["features.0.weight": [1 << 60, 0, 3, 3], "classifier.0.weight": [1, 1]]
      #expect(throws: ModelError.self) { try VGGArchitecture(weights: fileOfShapes(huge, at: path)) }
      #expect(throws: ModelError.self) { try VGGArchitecture(weights: fileOfShapes([:], at: path)) }
    }
  }

  @Test(arguments: [
    "", "pool", "pool,64", "64,", "64,pool,", "a", "64;64", "0", "-3", "64, 64", "16385",
    "99999999999999999999",
  ]) func tablesThatAreNoneAreRefused(table: String) {
    #expect(VGGArchitecture(table: table, head: .compact) == nil)
  }

  /// Images that no pixel of would be left.
  @Test func inputMustSurviveThePools() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      for (side, fits) in [(3, false), (4, true)] {
        var metadata = TinyNetwork.metadata
        metadata["preprocessing"] = metadata["preprocessing"]?.replacingOccurrences(of: "32", with: "\(side)")
        try TinyNetwork.writeModel(to: path, metadata: metadata)
        let captioner = try? CaptionModel(contentsOf: path, caching: .streamed)
        #expect((captioner != nil) == fits)
        if let captioner { #expect(try captioner.maps(Tensor(zeros: [1, 4, 4, 3])).shape == [1, 16]) }
      }
    }
  }
}

import Tensors
import TestSupport
import Testing

@testable import WeightFiles

@Suite struct CaffeModelTests {
  /// What google.protobuf wrote, of both forms.
  @Test(arguments: [false, true]) func layersAndTheirBlobs(isOld: Bool) throws {
    let path = fixture("layers\(isOld ? "-2014" : "").caffemodel")
    let file = try #require(try NamedTensors.read(path: path))
    #expect(file.format == .caffe && file.metadata == ["name": "layers"])
    #expect(file.entries.map(\.name) == ["conv1/0", "conv1/1", "fc2/0", "fc2/1"])
    #expect(file.operations.map(\.kind) == ["Convolution", "ReLU", "InnerProduct"])
    #expect(file.operations.map(\.name) == ["conv1", "relu1", "fc2"])
    let shapes: [Shape] =
      isOld
      ? [[2, 1, 2, 2], [1, 1, 1, 2], [1, 1, 1, 3], [1, 1, 1, 1]] : [[2, 1, 2, 2], [2], [1, 3], [1]]
    #expect(file.entries.map(\.shape) == shapes)
    #expect(
      file.entries.map(\.typeName)
        == (isOld ? ["float", "float", "float", "float"] : ["float", "float", "double", "double"]))
    let scalars = try file.entries.map { try $0.read().scalars }
    #expect(scalars == [[0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5], [0.5, -1.5], [0.25, 0.5, 0.75], [-0.25]])
  }

  /// Layer `a` of one blob: shape [2], and scalars packed in two pieces and one by itself, or others.
  @Test func scalarsInPieces() throws {
    func file(_ blob: [UInt8], _ body: (NamedTensors) throws -> Void) throws {
      let layer: [UInt8] = [0x0A, 0x01, 0x61, 0x3A, UInt8(blob.count)] + blob
      try withMessage([0xA2, 0x06, UInt8(layer.count)] + layer) { try body(CaffeModel.read(path: $0.path)) }
    }
    let one = withUnsafeBytes(of: Float(1.5).bitPattern.littleEndian) { Array($0) }
    let shape: [UInt8] = [0x3A, 0x03, 0x0A, 0x01, 0x03]
    try file(shape + [0x2A, 4] + one + [0x2D] + one + [0x2A, 0, 0x2A, 4] + one) { file in
      let scalars = try file["a/0"]?.read().scalars
      #expect(scalars == [1.5, 1.5, 1.5])
    }
    // Without a shape it is a row.
    try file([0x2A, 4] + one) { #expect($0["a/0"]?.shape == [1]) }
    for wrong in [
      shape + [0x2A, 4] + one, shape + [0x2A, 3, 0, 0, 0],
      [0x3A, 0x0B, 0x08] + [UInt8](repeating: 0xFF, count: 9) + [1],
    ] {
      #expect(throws: WeightFileError.self) { try file(wrong) { _ in } }
    }
  }

  @Test func othersAreRefused() throws {
    // Nothing, a layer from before 2014, and a layer with a name that is too long.
    let old: [UInt8] = [0x12, 0x04, 0x0A, 0x02, 0x0A, 0x00]
    let long: [UInt8] = [0xA2, 0x06, 0xB0, 0x02, 0x0A, 0xAD, 0x02] + [UInt8](repeating: 0x61, count: 301)
    for (bytes, says) in [([], "found none"), (old, "upgrade_net_proto_binary"), (long, "256 bytes at most")]
    {
      try withMessage(bytes) { message in
        let error = #expect(throws: WeightFileError.self) { try CaffeModel.read(path: message.path) }
        #expect(error.map { "\($0)" }?.contains(says) == true, "\(says)")
      }
    }
  }
}

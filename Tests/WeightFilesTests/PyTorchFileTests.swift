import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import WeightFiles

/// Files of `torch.save` (`tools/golden/weight_files.py`).
@Suite struct PyTorchFileTests {
  private func read(_ name: String) throws -> NamedTensors {
    let path = fixture("pytorch/\(name).pth")
    #expect(try WeightFormat.of(path: path) == .pyTorch)
    return try #require(try NamedTensors.read(path: path))
  }

  @Test(arguments: ["types", "legacy-types"]) func everyTypeIsRead(name: String) throws {
    let file = try read(name)
    for type in ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8"] {
      #expect(try file[type]?.read() == Tensor([-2, -1, 0, 1], [2, 2]), "\(type)")
    }
    for type in name == "types" ? ["uint8", "uint16", "uint32", "uint64"] : ["uint8"] {
      #expect(try file[type]?.read() == Tensor([0, 1, 2, 3], [2, 2]), "\(type)")
    }
    #expect(try file["bool"]?.read() == Tensor([0, 1], [2]))
    #expect(file["none"]?.shape == [0, 3] && file["scalar"]?.shape == [])
    #expect(try file["scalar"]?.read()[0] == 1.5)
    #expect(
      file["float16"]?.typeName == "torch.HalfStorage" && file["uint8"]?.typeName == "torch.ByteStorage")
  }

  @Test(arguments: ["strided", "legacy-strided", "big-endian", "deflated"])
  func partsOfOneStorage(name: String) throws {
    let file = try read(name)
    #expect(file.entries.map(\.name) == ["whole", "transposed", "columns", "expanded"])
    let whole = (0..<12).map(Float.init)
    #expect(try file["whole"]?.read() == Tensor(whole, [3, 4]))
    #expect(try file["transposed"]?.read() == Tensor([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11], [4, 3]))
    #expect(try file["columns"]?.read() == Tensor([1, 3, 5, 7, 9, 11], [3, 2]))
    #expect(try file["expanded"]?.read() == Tensor(repeating: 5, [2, 5]))
  }

  @Test(arguments: ["checkpoint", "legacy-checkpoint"]) func aCheckpointIsItsNetwork(name: String) throws {
    let file = try read(name)
    #expect(file.entries.map(\.name) == ["features.0.weight", "features.0.bias"])
    #expect(try file["features.0.weight"]?.read() == Tensor([0, 1, 2, 3, 4, 5], [2, 3]))
    #expect(file.metadata == ["epoch": "7", "rate": "0.5", "note": "of a run"])
    let value = try PickleValue.read(path: fixture("pytorch/\(name).pth"))
    #expect(value["optimizer"]?["param_groups"]?.items?[0]["lr"]?.double == 0.1)
  }

  @Test(arguments: ["parameters", "legacy-parameters"]) func namesAreKept(name: String) throws {
    let file = try read(name)
    #expect(
      file.entries.map(\.name) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var",
        "1.num_batches_tracked",
      ])
    #expect(file["0.weight"]?.shape == [2, 3, 3, 3] && file["1.num_batches_tracked"]?.shape == [])
  }

  @Test func aWholeNetworkIsRefused() throws {
    #expect {
      try read("network")
    } throws: {
      "\($0)".hasSuffix(
        "refused: the file asks to run torch.nn.modules.container.Sequential; save the network's state_dict() instead"
      )
    }
  }

  /// Whatever is cut off or changed is an error, or harmless.
  @Test(arguments: ["types", "legacy-types", "legacy-strided"]) func damageIsAnError(name: String) throws {
    let whole = try Array(Data(contentsOf: URL(fileURLWithPath: fixture("pytorch/\(name).pth"))))
    try withTemporaryFolder { folder in
      let path = folder + "/a.pth"
      for count in stride(from: 0, to: whole.count, by: max(1, whole.count / 100)) {
        try Data(whole.prefix(count)).write(to: URL(fileURLWithPath: path))
        let file = try? NamedTensors.read(path: path)
        #expect(file == nil, "\(count) bytes")
      }
      // A storage that is said to be larger than the file.
      guard name == "legacy-strided" else { return }
      var changed = whole
      changed[changed.count - 12 * 4 - 5] = 0x10
      try Data(changed).write(to: URL(fileURLWithPath: path))
      #expect(throws: WeightFileError.self) { try NamedTensors.read(path: path) }
    }
  }

  @Test func theKindIsToldByItsFirstBytes() {
    func format(_ bytes: [UInt8], _ path: String = "a") -> WeightFormat? {
      WeightFormat.allCases.first { $0.matches(bytes[...], path: path) }
    }
    #expect(format([0x80, 2] + PyTorchStream.magic) == .pyTorch)
    #expect(format([0x80, 4, 0x95, 13, 0, 0, 0, 0, 0, 0, 0] + PyTorchStream.magic) == .pyTorch)
    #expect(format([0x80, 2, 0x7D]) == .pickle)
    #expect(format(Array("(dp1".utf8), "a.pkl") == .pickle && format(Array("(dp1".utf8)) == nil)
    #expect(format([2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D]) == .safetensors)
    #expect(format([0x50, 0x4B, 3, 4]) == nil && format([]) == nil)
  }
}

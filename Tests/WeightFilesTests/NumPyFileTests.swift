import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import WeightFiles

/// Files of NumPy's `save` and `savez` (`tools/golden/weight_files.py`).
@Suite struct NumPyFileTests {
  private func read(_ name: String) throws -> NamedTensors {
    let path = fixture("numpy/\(name)")
    #expect(try WeightFormat.of(path: path) == .numPy)
    return try #require(try NamedTensors.read(path: path))
  }

  @Test(arguments: ["arrays.npz", "packed.npz"]) func everyArrayIsRead(name: String) throws {
    let file = try read(name)
    #expect(
      file.entries.map(\.name) == ["f4", "f8", "f2", ">f4", "i8", "u1", "b1", "columns", "layer/0/W"])
    for type in ["f4", "f8", "f2", ">f4", "i8"] {
      #expect(try file[type]?.read() == Tensor([-3, -2, -1, 0, 1, 2], [2, 3]), "\(type)")
    }
    #expect(try file["u1"]?.read() == Tensor([0, 1, 2, 3], [4]))
    #expect(try file["b1"]?.read() == Tensor([1, 0], [2]))
    #expect(try file["columns"]?.read() == Tensor((0..<24).map(Float.init), [2, 3, 4]))
    #expect(try file["layer/0/W"]?.read() == Tensor([2.5], []))
    #expect(file["f4"]?.typeName == "<f4" && file[">f4"]?.typeName == ">f4" && file["b1"]?.typeName == "|b1")
  }

  @Test(arguments: 1...3) func everyVersionIsRead(version: Int) throws {
    let file = try read("version\(version).npy")
    #expect(try file["array"]?.read() == Tensor([-3, -2, -1, 0, 1, 2], [2, 3]))
  }

  @Test func objectsAndRecordsAreRefused() throws {
    #expect { try read("objects.npz") } throws: {
      "\($0)".hasSuffix("refused: an array of Python objects, not of numbers")
    }
    #expect { try read("records.npy") } throws: {
      "\($0)".hasSuffix("expected descr of one number type, found records")
    }
  }

  /// Heads that NumPy does not write.
  @Test(arguments: [
    "", "{", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
    "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} or 1",
    "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}",
    "((((((((((((((((((((((((((((((((((((((((((((((",
  ]) func headsAreChecked(head: String) throws {
    #expect(throws: WeightFileError.self) { try tensors(head) }
  }

  @Test func headsOfOtherProgramsAreRead() throws {
    let file = try tensors("{\"shape\":(1L,),\"fortran_order\":False,'descr':\"<f4\"}\n")
    #expect(try file?["array"]?.read() == Tensor([1], [1]))
  }

  /// An array of four bytes, 1, behind a head.
  private func tensors(_ head: String) throws -> NamedTensors? {
    try withTemporaryFolder { folder in
      let length = UInt16(head.utf8.count)
      let bytes =
        NumPyArray.signature + [1, 0, UInt8(length & 0xFF), UInt8(length >> 8)] + Array(head.utf8) + [
          0, 0, 0x80, 0x3F,
        ]
      try Data(bytes).write(to: URL(fileURLWithPath: folder + "/a.npy"))
      return try NamedTensors.read(path: folder + "/a.npy")
    }
  }
}

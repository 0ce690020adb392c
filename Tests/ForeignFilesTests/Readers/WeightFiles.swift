import Foundation
import Support
import Tensors

@testable import WeightFiles

/// Weights of other programs.
extension ForeignReader {
  /// Pickles by themselves.
  static let pickles = ForeignReader(
    name: "pickle",
    words: [
      "cnumpy.core.multiarray\n_reconstruct\n", "cnumpy\nndarray\n", "cnumpy\ndtype\n", "c_codecs\nencode\n",
      "ccollections\nOrderedDict\n", "cargparse\nNamespace\n", "ccopy_reg\n_reconstructor\n",
      "c__builtin__\nlist\n",
      "cnumpy.core.multiarray\nscalar\n", "cos\nsystem\n", "f4", "latin1",
    ],
    seeds: {
      try (0...5).flatMap { ["values.\($0)", "arrays.\($0)"] }.filter { $0 != "arrays.0" }.map {
        try weights("pickles/\($0).pkl")
      } + ["old.0", "old.2"].map { try weights("pickles/\($0).pkl") }
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let found = outcome { try PickleValue.read(path: scratch.path) }
      guard let value = found.value else { return try named(found.error, scratch) }
      let tensors = outcome { try NamedTensors(path: scratch.path, format: .pickle, value) }
      if let tensors = tensors.value {
        try readAll(tensors, scratch)
      } else {
        try named(tensors.error, scratch)
      }
    })

  /// What PyTorch saves, in both forms.
  static let pyTorch = ForeignReader(
    name: "pytorch", longest: 8192,
    words: [
      "ctorch._utils\n_rebuild_tensor_v2\n", "ctorch\nFloatStorage\n", "ctorch\nHalfStorage\n", "storage",
      "cpu",
      "ctorch._utils\n_rebuild_tensor_v3\n", "ctorch.storage\nUntypedStorage\n", "ctorch\nuint16\n", "big",
      "module.",
      "PK\u{1}\u{2}", "state_dict",
    ],
    seeds: {
      try ["types", "strided", "checkpoint", "parameters", "big-endian", "deflated"].flatMap {
        try [weights("pytorch/\($0).pth")] + ($0.count < 8 ? [weights("pytorch/legacy-\($0).pth")] : [])
      }
    },
    repair: withoutChecksums, read: readWeights)

  /// Arrays of NumPy, and archives of them.
  static let numPy = ForeignReader(
    name: "numpy",
    words: [
      "'descr'", "'fortran_order'", "'shape'", "True", "False", "'<f4'", "'|O'", "9223372036854775807",
      ".npy",
    ],
    seeds: {
      try [
        "arrays.npz", "packed.npz", "objects.npz", "records.npy", "version1.npy", "version2.npy",
        "version3.npy",
      ].map {
        try weights("numpy/\($0)")
      }
    },
    repair: withoutChecksums, read: readWeights)

  private static func weights(_ name: String) throws -> [UInt8] {
    try fixture("WeightFilesTests/Fixtures/\(name)")
  }

  /// A file of the tests of another module. The way up from here is that of the folder, not of a link to it.
  static func fixture(_ name: String, of file: String = #filePath) throws -> [UInt8] {
    let folder = file[..<(file.lastIndex(of: "/") ?? file.endIndex)]
    let path = "\(folder)/../../\(name)"
    guard let data = FileManager.default.contents(atPath: path) else { throw Wrong("\(path): not there") }
    return Array(data)
  }

  /// Makes the checksums of a zip archive's directory 0, which counts as none.
  private static let withoutChecksums: @Sendable (inout [UInt8]) -> Void = { bytes in
    for place in bytes.indices.dropLast(20) where bytes[place...].starts(with: [0x50, 0x4B, 1, 2]) {
      for index in place + 16..<place + 20 { bytes[index] = 0 }
    }
  }

  private static let readWeights: @Sendable (UnsafeRawBufferPointer, ScratchFile) throws -> Void = {
    bytes, scratch in
    scratch.hold(bytes)
    let found = outcome { try NamedTensors.read(path: scratch.path) }
    if let file = found.value {
      try file.map { try readAll($0, scratch) }
    } else {
      try named(found.error, scratch)
    }
  }

  /// Reads tensors, each of which is of the shape that was said, or an error that names the file.
  private static func readAll(_ file: NamedTensors, _ scratch: ScratchFile) throws {
    for entry in file.entries.prefix(32) {
      let read = outcome { try entry.read() }
      guard let tensor = read.value else {
        try named(read.error, scratch)
        continue
      }
      guard tensor.shape == entry.shape, tensor.scalars.count == entry.shape.count else {
        throw Wrong("\(entry.name): another shape")
      }
    }
  }
}

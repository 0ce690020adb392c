import Dispatch
import Foundation
import Support
import Tensors
import TestSupport
import Testing

@Suite struct SafetensorsTests {
  @Test func roundTripsEveryType() throws {
    try withTemporaryFolder { folder in
      var random = Random(seed: 1)
      let a = Tensor(uniform: [3, 5], limit: 2, using: &random)
      let path = folder + "/a.safetensors"
      try SafetensorsWriter.write(
        [
          .init(name: "half", tensor: a, type: .float16), .init(name: "whole", tensor: a),
          .init(name: "brain", tensor: a, type: .bfloat16),
          .init(name: "none", tensor: Tensor(zeros: [0, 2])),
        ], metadata: ["key": "wörth \"it\"\n"], to: path)
      let file = try SafetensorsFile(path: path)
      #expect(file.metadata == ["key": "wörth \"it\"\n"])
      #expect(try file.tensor(named: "whole") == a)
      #expect(try file.tensor(named: "none").shape == [0, 2])
      #expect(relativeError(try file.tensor(named: "half"), a) < 5e-4)
      #expect(relativeError(try file.tensor(named: "brain"), a) < 5e-3)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.safetensors"])
    }
  }

  @Test func tensorsInMemoryAreAFileToo() throws {
    let a = Tensor([1, 2, 3, 4, 5, 6], [2, 3])
    let file = try SafetensorsFile(
      inMemory: [("a", a), ("none", Tensor(zeros: [0]))], metadata: ["k": "v"], path: "there.pth")
    #expect(try file.tensor(named: "a", shape: [2, 3]) == a)
    #expect(try file.tensor(named: "none").shape == [0])
    #expect(file.metadata == ["k": "v"] && file.path == "there.pth")
    try file.checkUnchanged()
  }

  @Test func saysWhatDoesNotFit() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try SafetensorsWriter.write([.init(name: "w", tensor: Tensor(zeros: [2, 3]))], metadata: [:], to: path)
      let file = try SafetensorsFile(path: path)
      #expect(throws: SafetensorsError.missing(path: path, key: "v")) { try file.tensor(named: "v") }
      #expect(throws: SafetensorsError.shape(path: path, key: "w", expected: [3, 2], found: [2, 3])) {
        try file.tensor(named: "w", shape: [3, 2])
      }
      #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: folder + "/absent") }
      #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: folder) }
    }
  }

  /// Cut anywhere, or with any byte of its header changed, a file is refused or read: never a crash.
  @Test func survivesDamage() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      try SafetensorsWriter.write(
        [.init(name: "w", tensor: Tensor(repeating: 1, [2, 3]))], metadata: ["a": "b"], to: path)
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      let damaged = folder + "/b.safetensors"
      for length in 0..<whole.count {
        try Data(whole[..<length]).write(to: URL(fileURLWithPath: damaged))
        #expect(throws: SafetensorsError.self, "cut to \(length)") { try SafetensorsFile(path: damaged) }
      }
      var random = Random(seed: 5)
      for _ in 0..<500 {
        var bytes = whole
        bytes[Int.random(in: 0..<(whole.count - 24), using: &random)] = UInt8(
          truncatingIfNeeded: random.next())
        try Data(bytes).write(to: URL(fileURLWithPath: damaged))
        if let file = try? SafetensorsFile(path: damaged) {
          for name in file.entries.keys { _ = try? file.tensor(named: name) }
        }
      }
    }
  }

  @Test(arguments: [
    #"{"w":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,0]}}"#,
    #"{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
    #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
    #"{"w":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775807,9223372036854775807]}}"#,
    #"{"w":{"dtype":"Q7","shape":[1],"data_offsets":[0,4]}}"#, #"[1]"#, #"{"__metadata__":{"a":1}}"#,
  ]) func refusesForeignHeaders(header: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
      data.append(contentsOf: Array(header.utf8) + [0, 0, 0, 0])
      try data.write(to: URL(fileURLWithPath: path))
      #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
    }
  }
}

@Suite struct DeferredTensorTests {
  /// Converted when they are first wanted, by however many at once; what is written is no longer the file's.
  @Test func scalarsAreConvertedWhenTheyAreWanted() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/t.safetensors"
      let values = Tensor((0..<6000).map { Float($0) / 8 }, [60, 100])
      try SafetensorsWriter.write(
        [.init(name: "a", tensor: values, type: .float16)], metadata: [:], to: path)
      let file = try SafetensorsFile(path: path)
      let expected = try file.tensor(named: "a")
      let tensor = Tensor(deferring: try file.stored("a"))
      #expect(tensor.stored?.shape == [60, 100] && tensor.shape == [60, 100])
      DispatchQueue.concurrentPerform(iterations: 8) { index in
        #expect(tensor.row(index) == expected.row(index))
      }
      #expect(tensor == expected)
      var written = tensor
      written[1] = 7
      #expect(written.stored == nil && written[1] == 7 && tensor == expected)
      var unread = Tensor(deferring: try file.stored("a"))
      unread[0] = 9
      #expect(unread[0] == 9 && unread.row(1) == expected.row(1) && unread.stored == nil)
    }
  }
}

@Suite struct SafetensorsCopyTests {
  @Test func tensorsStayAndMetadataChanges() throws {
    try withTemporaryFolder { folder in
      let (from, to) = (folder + "/from.safetensors", folder + "/to.safetensors")
      let tensor = Tensor([1, -2.5, 3], [3])
      try SafetensorsWriter.write(
        [.init(name: "a", tensor: tensor), .init(name: "b", tensor: tensor, type: .float16)],
        metadata: ["x": "old"], to: from)
      try SafetensorsFile(path: from).copy(to: to, metadata: ["x": "new and longer", "y": "1"])
      let copy = try SafetensorsFile(path: to)
      #expect(copy.metadata == ["x": "new and longer", "y": "1"])
      #expect(try copy.tensor(named: "a") == tensor && copy.tensor(named: "b") == tensor)
      #expect(copy.entries["b"]?.typeName == "F16")
      // Over itself.
      try copy.copy(to: to, metadata: [:])
      #expect(try SafetensorsFile(path: to).tensor(named: "b") == tensor)
      #expect(throws: SafetensorsError.self) {
        try copy.copy(to: folder + "/nowhere/to.safetensors", metadata: [:])
      }
    }
  }
}

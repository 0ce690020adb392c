import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import WeightFiles

/// Files that tools/golden/torch7.py wrote, of which an independent reader gives the same.
@Suite struct Torch7FileTests {
  @Test(arguments: ["binary", "longs-of-4", "text"]) func readsEveryKindOfValue(name: String) throws {
    let file = try Torch7File(path: fixture("torch7/\(name).t7"))
    func value(_ key: String) -> Torch7Value { file[file.root, key] }
    #expect(file.number(value("number")) == -1.5)
    #expect(value("yes") == .boolean(true) && value("no") == .boolean(false) && value("nothing") == .null)
    #expect(file.text(value("text")) == "café\n" && file.text(value("empty")) == "")
    let list = file.list(value("list"))
    #expect(list.prefix(2).map(file.text) == ["a", "b"] && file.list(list[2]) == [.number(3)])
    #expect(file.pairs(value("keys")).map(\.key).prefix(2) == [.number(2.5), .boolean(true)])
    #expect(file.text(file[value("keys"), "5"]) == "five")
    // An object is one, however often it is referred to; one may hold itself.
    let shared = file.list(value("shared"))
    #expect(shared[0] == shared[1] && file.number(file[shared[0], "a"]) == 1)
    #expect(value("itself") == file.root)

    func tensor(_ key: String) -> [Float]? { file.read(value(key))?.scalars }
    #expect(tensor("double") == [0, Float(Double.pi), -0.0, 2])
    #expect(tensor("float") == (0..<24).map { Float($0) / 4 })
    #expect(file.shape(value("float")) == [2, 3, 4])
    #expect(tensor("transposed") == [1, 13, 5, 17, 9, 21].map { Float($0) / 4 })
    #expect(tensor("half") == [0.5, -2, 65504])
    #expect(tensor("long") == [1, -2_147_483_648, 2_147_483_648] && tensor("int") == [-5, 6])
    #expect(
      tensor("short") == [-300, 7] && tensor("char") == [-1, 10, 127] && tensor("byte") == [0, 10, 255])
    #expect(tensor("cuda") == [7.5, 8.5] && tensor("cuda double") == [9.5])
    #expect(file.className(value("cuda")) == "torch.CudaTensor")
    #expect(file.shape(value("none")) == [0] && tensor("storage") == nil)
    #expect(
      file.className(value("linear")) == "nn.Linear" && file[value("linear"), "train"] == .boolean(false))
    #expect(file.read(file[value("linear"), "weight"])?.scalars == [1, 2])
    #expect(file.className(value("old")) == "nn.Identity" && file.number(file[value("old"), "a"]) == 1)
    // A function is passed over with what it has captured.
    #expect(file.pairs(value("function")).isEmpty && value("function") != .null)
  }

  @Test func tensorsHaveNames() throws {
    let tensors = try #require(try NamedTensors.read(path: fixture("torch7/binary.t7")))
    #expect(tensors.format == .torch7 && tensors.entries.count == 13)
    let weight = try #require(tensors["linear.weight"])
    #expect(weight.shape == [1, 2] && weight.typeName == "torch.FloatTensor")
    #expect(try weight.read().scalars == [1, 2])
  }

  /// What is malformed, and where, in text: kinds, numbers of objects, sizes.
  @Test(arguments: [
    ("9\n", "byte 0: expected the kind of a value, 0 to 8, found 9"),
    ("3\n1\n", "byte 4: expected the size of a table, found the end"),
    ("3\n1\n2\n1\n5\n", "byte 0: expected a table within 4 bytes, found 2 pairs"),
    ("3\n1\n1\n1\n1\n1\n", "byte 12: expected a number, found the end"),
    ("3\n1\n1\n0\n0\n\n", "byte 8: expected the key of a table, found nil"),
    ("2\n7\nabc", "byte 4: expected 7 bytes of a text, found 3"),
    ("2\n-1\n", "byte 2: expected the length of a text, found -1"),
    ("4\n1\n3\nV 1\n8\ntds.Hash\n", "byte 0: tds.Hash, which has a form of its own, is not read"),
    ("4\n1\n3\nV 1\n17\ntorch.FloatTensor\n9\n", "byte 0: expected 0 to 8 dimensions of a tensor, found 9"),
    (
      "4\n1\n3\nV 1\n17\ntorch.FloatTensor\n1\n2\n1\n1\n0\n", "byte 0: expected a tensor's storage, found nil"
    ),
    (
      "4\n1\n3\nV 1\n17\ntorch.FloatTensor\n1\n2\n1\n1\n5\n1\n",
      "byte 0: expected a tensor's storage, found another value"
    ),
    (
      "4\n1\n3\nV 1\n17\ntorch.FloatTensor\n1\n3\n1\n1\n4\n2\n3\nV 1\n18\ntorch.FloatStorage\n2\n1 2\n",
      "byte 0: expected a tensor within its storage: 3 numbers of float32, found 8 bytes"
    ),
    (
      "4\n1\n3\nV 1\n18\ntorch.FloatStorage\n9223372036854775807\n1 2\n",
      "byte 52: expected 9223372036854775807 numbers, found 4 bytes"
    ),
    ("1\nabc\u{1b}\n", #"byte 2: expected a number, found abc\u{1B}"#),
  ])
  func saysWhatIsMalformed(text: String, message: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.t7"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: WeightFileError.self) { try Torch7File(path: path) }
      #expect(error?.description == "\(path): \(message)")
    }
  }

  /// A tensor may not be larger than its storage, though its strides would let it.
  @Test func expandedTensorsAreRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.t7"
      let text =
        "4\n1\n3\nV 1\n17\ntorch.FloatTensor\n2\n1000000 1000000\n0 0\n1\n4\n2\n3\nV 1\n18\ntorch.FloatStorage\n1\n1\n"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      #expect(throws: WeightFileError.self) { try Torch7File(path: path) }
    }
  }

  /// Values in values, deeper than calls go.
  @Test func depthIsNoLimit() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.t7"
      let depth = 200_000
      var text = (1...depth).map { "3\n\($0)\n1\n1\n1\n" }.joined()
      text += "0\n"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      let file = try Torch7File(path: path)
      #expect(file.pairs(file.root).count == 1)
      #expect(file.tensors.entries.isEmpty)
    }
  }
}

import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import WeightFiles

/// Pickles that Python wrote (`tools/golden/pickles.py`), and some that nobody should.
@Suite struct PickleTests {
  private func fixed(_ name: String) throws -> PickleValue {
    try PickleValue.read(path: fixture("pickles/\(name).pkl"))
  }

  /// Reads bytes as a pickle.
  private func read(_ bytes: [UInt8]) throws -> PickleValue {
    try withTemporaryFolder { folder in
      try Data(bytes).write(to: URL(fileURLWithPath: folder + "/a.pkl"))
      return try PickleValue.read(path: folder + "/a.pkl")
    }
  }

  private func read(text: String) throws -> PickleValue { try read(Array(text.utf8)) }

  @Test(arguments: 0...5) func valuesOfEveryProtocol(version: Int) throws {
    let values = try fixed("values.\(version)")
    guard case .some(.none) = values["none"] else {
      Issue.record("None")
      return
    }
    #expect(values["true"]?.bool == true && values["false"]?.bool == false)
    let integers = [
      "small": 7, "byte": 255, "short": 65535, "negative": -5, "long": 1 << 40, "minus": -(1 << 62),
    ]
    for (name, value) in integers { #expect(values[name]?.integer == value, "\(name)") }
    #expect(values["huge"]?.double == 0x1p70 && values["float"]?.double == -1.5)
    #expect(values["text"]?.string == "grüß 🐕\n\\u")
    if case .bytes(let bytes) = values["bytes"] {
      #expect(bytes == [0, 0xFF])
    } else {
      Issue.record("bytes")
    }
    #expect(values["list"]?.items?[1].items?[1].items?[0].integer == 3)
    #expect(values["tuple"]?.items?.isEmpty == true)
    #expect(values["pair"]?.items?.map(\.integer) == [1, nil] && values["pair"]?.items?[1].string == "a")
    #expect(values["three"]?.items?.map(\.integer) == [1, 2, 3])
    #expect(values["four"]?.items?.map(\.integer) == [1, 2, 3, 4])
    #expect(values["set"]?.items?.map(\.integer) == [5] && values["frozen"]?.items?.map(\.integer) == [6])
    #expect(values["ordered"]?.pairs?.map(\.key.string) == ["b", "a"])
    #expect(values["default"]?["k"]?.items?.map(\.integer) == [1])
    #expect(values["counter"]?["a"]?.integer == 2)
    #expect(values["one"]?.items?[0].string == "shared" && values["other"]?.items?[1].integer == 1)
    guard case .object(let options) = values["options"] else {
      Issue.record("Namespace")
      return
    }
    #expect(options.className == "argparse.Namespace")
    #expect(
      values["options"]?["rnn_size"]?.integer == 512 && values["options"]?["rnn_type"]?.string == "lstm")
    let keys = try #require(values["keys"]?.pairs)
    #expect(keys[0].key.integer == 1 && keys[1].key.items?.map(\.integer) == [1, 2])
  }

  @Test(arguments: 0...5) func arraysOfEveryProtocol(version: Int) throws {
    let arrays = try fixed("arrays.\(version)")
    for (name, type) in [
      ("<f4", "<f4"), (">f4", ">f4"), ("<f8", "<f8"), ("<f2", "<f2"), ("<i8", "<i8"), ("<i4", "<i4"),
      (">i2", ">i2"),
      ("i1", "|i1"), ("u1", "|u1"), ("<u2", "<u2"), ("<u4", "<u4"), ("<u8", "<u8"),
    ] {
      let tensor = try #require(arrays[name]?.tensor, "\(name)")
      #expect(tensor.typeName == type)
      let numbers: [Float] = name.contains("u") ? [0, 1, 2, 3, 4, 5] : [-11, -4, 3, 10, -6, 1]
      #expect(tensor.read() == Tensor(numbers.map { name.contains("f") ? $0 / 4 : $0 }, [2, 3]), "\(name)")
    }
    #expect(arrays["bool"]?.tensor?.read() == Tensor([1, 0], [2]))
    let columns = (0..<12).map { Float($0 * 7 % 23 - 11) / 4 }
    #expect(arrays["columns"]?.tensor?.read() == Tensor(columns, [2, 3, 2]))
    #expect(arrays["none"]?.tensor?.shape == [0, 3])
    #expect(arrays["scalar"]?.double == 2.5 && arrays["single"]?.double == 0.5)
    #expect(arrays["whole"]?.integer == -3 && arrays["yes"]?.bool == true)
    #expect(arrays["point"]?.tensor?.shape == [] && arrays["point"]?.tensor?.read()[0] == 1.25)
    #expect(arrays["objects"]?.items?[0].string == "a" && arrays["texts"]?.tensor == nil)
  }

  @Test func thoseOfPython2() throws {
    let text = try fixed("old.0")
    #expect(text["model"]?["Wd"]?.tensor?.read() == Tensor([1, -2], [1, 2]))
    let params = try #require(text["params"])
    #expect(params["image's \"size\"\n"]?.integer == 4096 && params["on"]?.bool == true)
    #expect(
      params["rate"]?.double == 0.001 && params["seen"]?.integer == 12 && params["一\\xe9"]?.string == "word")
    let binary = try fixed("old.2")
    #expect(binary["model"]?.tensor?.read() == Tensor([1, -2.5], [1, 2]))
    #expect(binary["los"]?.double == 1.5 && binary["ppq"]?.double == 1)
  }

  /// The ways in which pickles run programs, each with the name that the refusal must say.
  @Test(arguments: [
    ("cos\nsystem\n(S'id'\ntR.", "os.system"),
    ("cposix\nsystem\n(S'id'\ntR.", "posix.system"),
    ("c__builtin__\neval\n(S'1'\ntR.", "__builtin__.eval"),
    ("cbuiltins\nexec\n(S'1'\ntR.", "builtins.exec"),
    ("csubprocess\nPopen\n((S'id'\nltR.", "subprocess.Popen"),
    ("(S'id'\nios\nsystem\n.", "os.system"),
    ("(cos\nsystem\nS'id'\no.", "os.system"),
    ("\u{0}cos\nsystem\n)\u{81}.", "os.system"),
    ("S'os'\nS'system'\n\u{93}S'id'\n\u{85}R.", "os.system"),
    ("cargparse\nNamespace\n)R}S'__setstate__'\ncos\nsystem\nsbS'id'\nb.", "os.system"),
    ("cbuiltins\ngetattr\n(cos\nsystem\nS'x'\ntR.", "builtins.getattr"),
    ("c__builtin__\napply\n(tR.", "__builtin__.apply"),
    ("ctorch.storage\n_load_from_bytes\n(S''\ntR.", "torch.storage._load_from_bytes"),
    ("cnumpy.testing._private.utils\nrunstring\n(tR.", "numpy.testing._private.utils.runstring"),
    ("c__builtin__\nstr\n(S'a'\ntR.", "__builtin__.str"),
  ])
  func whatRunsProgramsIsRefused(pickle: String, name: String) throws {
    // Instructions are bytes, not UTF-8.
    let bytes = pickle.unicodeScalars.drop { $0 == "\u{0}" }.map { UInt8($0.value) }
    #expect {
      try read(bytes)
    } throws: { error in
      guard case .refused(_, _, let reason) = error as? WeightFileError else { return false }
      return reason == "refused: the file asks to run \(name)"
    }
  }

  /// A name of several lines, or one that moves the cursor, is told in one line that does nothing.
  @Test func whatIsQuotedIsPrintable() {
    let bytes = [UInt8](
      "\u{8C}\u{4}a\nb\u{8}\u{8C}\u{4}c\u{1B}[m\u{93}.".unicodeScalars.map { UInt8($0.value) })
    let error = #expect(throws: WeightFileError.self) { try read(bytes) }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.hasSuffix(#"the file asks to run a\u{A}b\u{8}.c\u{1B}[m"#), "\(text.debugDescription)")
  }

  @Test(arguments: [
    // Values that hold themselves, or each other.
    "(lp0\ng0\na.", "(dp0\nS'a'\ng0\ns.", "(lp0\n(lp1\ng0\naag1\na.",
    // Nothing where something must be.
    ".", "a.", "(t", "t.", "R.", "g7\n.", "0.", "(0.", "b.", "Ix\n.", "I1", "S'a\n.", "Sa\n.", "p1\n.",
    "(S'a'\nd.",
    "I1\nI2\na.", "I1\n(tR.", "}(S'a'\nu.", "P12\n.", "S'12'\nQ.",
    // A call that is an argument of itself.
    "ctorch._tensor\n_rebuild_from_type_v2\np0\n(lp1\ng0\nag0\nag1\naR.",
    "cnumpy\ndtype\n(tR.", "cnumpy\ndtype\n(S'f4'\ntRI1\nb.", "(ltb.",
  ])
  func whatMakesNoSenseIsAnError(pickle: String) throws {
    #expect(throws: WeightFileError.self) { try read(text: pickle) }
  }

  @Test func depthAndSharingAreBounded() throws {
    #expect(throws: WeightFileError.self) {
      try read(text: String(repeating: "(", count: 1000) + String(repeating: "l", count: 1000) + ".")
    }
    // Ten times the same, ten times that, …
    var pickle = "(lp0\n"
    for level in 0..<30 { pickle += "(l" + String(repeating: "g\(level)\na", count: 10) + "p\(level + 1)\n" }
    #expect(throws: WeightFileError.self) { try read(text: pickle + ".") }
    // Marks and copies of one value take a byte each, text that becomes bytes few more.
    #expect(throws: WeightFileError.self) { try read([UInt8](repeating: 0x28, count: 5_000_000)) }
    #expect(throws: WeightFileError.self) { try read([0x4E] + [UInt8](repeating: 0x32, count: 5_000_000)) }
    let text = "V" + String(repeating: "a", count: 1000) + "\np0\n0"
    let encoded = String(repeating: "c_codecs\nencode\n(g0\nVlatin1\ntR0", count: 200)
    #expect(throws: WeightFileError.self) { try read(text: text + encoded + "N.") }
    #expect(throws: Never.self) { try read(text: text + encoded.prefix(31) + "N.") }
    // A long list, copied a hundred times.
    let long = "(" + String(repeating: "I1\n", count: 50_000) + "lp0\n"
    let copies = String(repeating: "c__builtin__\nlist\n(g0\ntR", count: 100)
    #expect(throws: WeightFileError.self) { try read(text: long + copies + ".") }
    #expect(try read(text: long + copies.prefix(24) + ".").items?.count == 50_000)
  }

  /// An array may not be larger than its bytes, whatever it says.
  @Test func arraysAreCheckedAgainstTheirBytes() throws {
    let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: fixture("pickles/old.0.pkl"))))
    let text = String(decoding: bytes, as: UTF8.self)
    for (old, new) in [
      ("(I1\nI2\nt", "(I1\nI3\nt"), ("(I1\nI2\nt", "(I99999999999\nI99999999999\nt"),
      ("(I1\nI2\nt", "(I-1\nI2\nt"),
      ("(I1\nI2\nt", "(S'a'\nI2\nt"), ("'f4'", "'f8'"),
    ] {
      #expect(text.contains(old))
      #expect(throws: WeightFileError.self, "\(new)") {
        try read(text: text.replacingOccurrences(of: old, with: new))
      }
    }
  }

  @Test func otherClassesAreObjectsWhereTheyAreWanted() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.pkl"
      try Data("cmodels\nDecoder\n)\u{0}".utf8.dropLast() + [0x81] + Data("}S'size'\nI3\nsb.".utf8)).write(
        to: URL(fileURLWithPath: path))
      #expect(throws: WeightFileError.self) { try PickleValue.read(path: path) }
      let value = try PickleValue.read(path: path, objects: ["models.Decoder"])
      #expect(value["size"]?.integer == 3)
    }
  }
}

import Foundation
import Support
import Tensors
import TestSupport
import Testing

@testable import WeightFiles

@Suite struct HDF5Tests {
  private static let files = [
    "kinds-earliest", "kinds-latest", "chunks-earliest", "chunks-latest", "members-earliest", "members-v108",
    "members-latest", "many-earliest", "many-latest",
  ]

  private func file(_ name: String) throws -> HDF5File { try HDF5File(path: fixture("hdf5/\(name).h5")) }

  /// Every dataset of numbers is what h5py reads, bit for bit; and none is missed.
  @Test(arguments: files) func isReadAsH5pyReadsIt(name: String) throws {
    let values = try SafetensorsFile(path: fixture("hdf5/values.safetensors"))
    let file = try file(name)
    let expected = values.entries.keys.filter { $0.hasPrefix(name + "/") }.sorted()
    #expect(expected.count >= 3)
    for key in expected {
      let dataset = try file.dataset(named: String(key.dropFirst(name.count + 1)))
      let expected = try values.tensor(named: key)
      let read = try dataset.read()
      #expect(
        read.scalars == expected.scalars && (read.shape.rank == 0 || read.shape == expected.shape), "\(key)")
    }
    // h5py passes over what has no extents, and over a second name of a dataset.
    let others: Set = ["empty", "floats/littlef4", "value"]
    let names = Set(file.datasets.filter(\.isNumeric).map(\.name)).subtracting(others)
      .filter { !$0.hasPrefix("group/link") }
    #expect(names.isSubset(of: expected.map { String($0.dropFirst(name.count + 1)) }))
  }

  /// Any rows are those of the whole.
  @Test(arguments: ["chunks-earliest", "chunks-latest", "kinds-latest"]) func rowsAreThoseOfTheWhole(
    name: String
  ) throws {
    for dataset in try file(name).datasets where dataset.isNumeric {
      let all = try dataset.read()
      let count = dataset.rowCount
      let row = count == 0 ? 0 : all.count / count
      for start in 0...count {
        for end in start...count {
          let part = try dataset.read(rows: start..<end)
          #expect(part.shape == Shape([end - start] + dataset.shape.dimensions.dropFirst()))
          #expect(
            part.scalars == Array(all.scalars[start * row..<end * row]), "\(dataset.name) \(start)..<\(end)")
        }
      }
    }
    #expect(try file("chunks-latest").dataset(named: "shuffled").rowsTogether == 3)
  }

  @Test func textsAndTypesAndAttributes() throws {
    for name in ["kinds-earliest", "kinds-latest"] {
      let file = try file(name)
      #expect(try file.dataset(named: "texts/fixed").texts() == ["a", "bcd", ""])
      #expect(try file.dataset(named: "texts/variable").texts() == ["one", "zwei", "", "Übung"])
      #expect(try file.dataset(named: "floats/bigf2").typeName == ">f2")
      #expect(try file.dataset(named: "floats/littlef2").typeName == "float16")
      #expect(try file.dataset(named: "integers/bigu4").typeName == ">u4")
      #expect(try file.dataset(named: "texts/fixed").typeName == "S3")
      #expect(try file.dataset(named: "none").shape == [0, 4])
      #expect(try file.dataset(named: "empty").read().shape == [0])
      #expect(try file.dataset(named: "scalar").read() == Tensor([1.5], []))
      #expect(try file.dataset(named: "again").read() == file.dataset(named: "floats/littlef4").read())
      let attributes = try #require(file.attributes[""])
      #expect(attributes["layer_names"] == .texts(["block1_conv1", "block1_pool"]))
      #expect(attributes["keras_version"]?.text == "2.2.4")
      #expect(attributes["numbers"] == .numbers([1.5, -2]))
      #expect(attributes["count"] == .numbers([3]))
      #expect(attributes["names"] == .texts(["a", "bc"]))
    }
    for name in ["members-earliest", "members-latest"] {
      let file = try file(name)
      for number in 0..<20 {
        #expect(file.attributes[""]?["attribute\(number)"] == .numbers([Double(number)]), "\(name) \(number)")
      }
    }
    #expect(try file("chunks-latest").dataset(named: "texts").texts() == ["first", "second", "third"])
  }

  /// Trees of several levels, and heaps of several blocks, lose no name.
  @Test(arguments: [("many-earliest", 300), ("many-latest", 1500)]) func everyNameIsFound(
    name: String, count: Int
  ) throws {
    let file = try file(name)
    let names = file.datasets.map(\.name).filter { $0.hasPrefix("group/link") }
    #expect(names.count == count && Set(names) == Set((0..<count).map { "group/link\($0)" }))
    #expect(try file.dataset(named: "group/link\(count - 1)").read().scalars == [3])
  }

  @Test func isAFileOfNamedTensors() throws {
    let path = fixture("hdf5/kinds-earliest.h5")
    #expect(try WeightFormat.of(path: path) == .hdf5)
    let tensors = try #require(try NamedTensors.read(path: path))
    #expect(tensors.format == .hdf5)
    #expect(tensors.metadata["@keras_version"] == "2.2.4")
    #expect(tensors.metadata["compound"] == "compound [2]")
    #expect(tensors["compound"] == nil)
    #expect(try tensors["floats/bigf8"]?.read().shape == [2, 3])
  }

  /// What is not read is refused by its name, and the rest of the file is read.
  @Test func whatIsNotReadIsNamed() throws {
    let file = try file("refused-latest")
    func reason(_ name: String) throws -> String {
      do {
        _ = try file.dataset(named: name).read()
        return "nothing"
      } catch {
        return "\(error)"
      }
    }
    #expect(try reason("lzf").contains("lzf"))
    #expect(try reason("growing").contains("extensible array"))
    #expect(try reason("virtual").contains("virtual dataset"))
    #expect(try reason("committed").contains("several objects share"))
    #expect(try reason("giant").contains("holds hardly any"))
    #expect(try reason("chunked giant").contains("holds hardly any"))
    #expect(try file.dataset(named: "chunked giant").read(rows: 7..<8).scalars.allSatisfy { $0 == 0 })
    #expect(throws: WeightFileError.self) { try file.dataset(named: "none such") }
    #expect(throws: WeightFileError.self) {
      try self.file("kinds-latest").dataset(named: "texts/fixed").read()
    }
    #expect(throws: WeightFileError.self) { try self.file("kinds-latest").dataset(named: "scalar").texts() }
  }

  /// All that a file holds; its bytes may be anybody's.
  private func readAll(_ bytes: [UInt8]) throws {
    let file = try HDF5File(MappedFile(path: "a.h5", count: bytes.count) { $0.copyBytes(from: bytes) })
    for dataset in file.datasets {
      _ = dataset.isNumeric ? (try? dataset.read())?.count : (try? dataset.texts())?.count
    }
  }

  /// Cut anywhere, and with any byte changed, a file is read or refused, at once and with an error of ours.
  @Test(arguments: ["chunks-latest", "members-v108", "members-earliest", "kinds-latest"])
  func damageIsReadOrRefused(name: String) throws {
    let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: fixture("hdf5/\(name).h5"))))
    try readAll(bytes)
    for length in stride(from: 0, to: bytes.count, by: 397) {
      do { try readAll(Array(bytes[..<length])) } catch is WeightFileError {}
    }
    let places = bytes.indices.filter { bytes[$0] != 0 || $0 % 7 == 0 }
    for place in stride(from: 0, to: places.count, by: 11).map({ places[$0] }) {
      var changed = bytes
      changed[place] ^= place % 3 == 0 ? 0xFF : 1 << UInt8(place % 8)
      do { try readAll(changed) } catch is WeightFileError {}
    }
  }
}

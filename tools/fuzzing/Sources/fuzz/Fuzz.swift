internal import CLibFuzzer
internal import Foundation
internal import Kernels

/// The reader that is fuzzed: libFuzzer's callbacks know nothing but bytes.
nonisolated(unsafe) private var target: (reader: ForeignReader, file: ScratchFile)?

/// `fuzz --list` prints the readers, `fuzz --seeds READER FOLDER` writes its seeds and dictionary, and
/// `fuzz READER …` fuzzes it with the options of libFuzzer.
///
/// SwiftPM calls an executable's `main` after its module, and makes it the program's entry.
@_cdecl("fuzz_main")
func fuzz(_ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32 {
  let words = CommandLine.arguments
  do {
    if words.count == 2, words[1] == "--list" {
      for reader in ForeignReader.all { print(reader.name, reader.longest, reader.fixtures ?? "-") }
      return 0
    }
    guard words.count > 1,
      let reader = ForeignReader.all.first(where: { $0.name == words[words[1] == "--seeds" ? 2 : 1] })
    else {
      FileHandle.standardError.write(Data("fuzz: expected the name of a reader; --list prints them\n".utf8))
      return 64
    }
    if words[1] == "--seeds" {
      try write(reader, to: words[3])
      return 0
    }
    target = (reader, try ScratchFile())
  } catch {
    FileHandle.standardError.write(Data("fuzz: \(error)\n".utf8))
    return 1
  }
  // The reader's name is not libFuzzer's.
  var (rest, first) = (count - 1, Optional(arguments + 1))
  arguments[1] = arguments[0]
  return LLVMFuzzerRunDriver(&rest, &first) { data, size in
    let (reader, file) = target!
    do { try reader.read(UnsafeRawBufferPointer(start: data, count: size), file) } catch {
      fatalError("\(error)")
    }
    return 0
  }
}

/// How libFuzzer makes new bytes: as it likes, with checksums that are right nearly always.
@_cdecl("LLVMFuzzerCustomMutator")
func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maximum: Int, _ seed: UInt32) -> Int {
  let size = LLVMFuzzerMutate(data, size, maximum)
  guard seed % 8 != 0, let repair = target?.reader.repair else { return size }
  var bytes = Array(UnsafeBufferPointer(start: data, count: size))
  repair(&bytes)
  data.update(from: bytes, count: min(size, bytes.count))
  return size
}

/// Writes a reader's seeds into a folder, and its words as `words.dict` beside it.
private func write(_ reader: ForeignReader, to folder: String) throws {
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  for (number, seed) in try reader.seeds().enumerated() {
    try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(number)"))
  }
  let words = reader.words.map { word in
    "\"" + word.utf8.map { String(format: "\\x%02x", $0) }.joined() + "\"\n"
  }
  try Data(words.joined().utf8).write(to: URL(fileURLWithPath: folder + ".dict"))
}

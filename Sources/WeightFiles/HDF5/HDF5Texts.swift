internal import Support
internal import Synchronization

/// Texts of attributes and datasets; those of any length are kept in heaps that many share.
final class HDF5Texts: Sendable {
  private let bytes: HDF5Bytes
  /// The objects of the heaps that were looked into, by number.
  private let heaps = Mutex<[Int: [Int: Range<Int>]]>([:])

  init(_ bytes: HDF5Bytes) { self.bytes = bytes }

  /// The text that an element is.
  /// - Parameters:
  ///   - type: a text's.
  ///   - memory: where the element lies from `place` on, the file or a chunk of it.
  func text(_ type: HDF5Type, _ memory: UnsafeRawBufferPointer, at place: Int) throws(WeightFileError)
    -> String
  {
    switch type {
    case .text(let size, let spaces):
      let all = UnsafeRawBufferPointer(rebasing: memory[place..<place + size])
      let end = spaces ? (all.lastIndex { $0 != 0x20 } ?? -1) + 1 : all.firstIndex(of: 0) ?? size
      return String(decoding: all[..<end], as: UTF8.self)
    case .variableText:
      let length = Int(memory.littleEndian(at: place, size: 4))
      let address = memory.littleEndian(at: place + 4, size: bytes.addressSize)
      let index = Int(memory.littleEndian(at: place + 4 + bytes.addressSize, size: 4))
      guard length > 0, address != 0, let heap = bytes.place(of: address) else { return "" }
      let object = try objects(of: heap)[index]
      guard let object, length <= object.count else {
        throw .malformed(
          path: bytes.file.path, place: "byte \(heap)",
          expected: "a text of \(length) bytes as number \(index)",
          found: object.map { "\($0.count) bytes" } ?? "none")
      }
      try bytes.spend(length, at: object.lowerBound)
      return String(
        decoding: bytes.file.bytes[object.lowerBound..<object.lowerBound + length].prefix { $0 != 0 },
        as: UTF8.self)
    case .number, .other: return ""
    }
  }

  /// The objects of a heap, by number.
  private func objects(of heap: Int) throws(WeightFileError) -> [Int: Range<Int>] {
    if let known = heaps.withLock({ $0[heap] }) { return known }
    var cursor = try bytes.cursor(at: heap, "a heap of texts")
    try cursor.signature("GCOL", version: 1)
    try cursor.skip(3, "heap")
    let size = try cursor.length("the heap's size")
    let used = cursor.place - heap
    guard size >= used else { throw cursor.malformed("a heap of at least \(used) bytes", "\(size)") }
    var objects: [Int: Range<Int>] = [:]
    cursor = try bytes.cursor(at: cursor.place, count: size - used, "a heap of texts")
    while cursor.left >= 8 + bytes.lengthSize {
      let index = try cursor.number("an object's number", size: 2)
      // The rest is free.
      if index == 0 { break }
      try cursor.skip(6, "object")
      let length = try cursor.length("an object's size")
      guard length <= cursor.left else {
        throw cursor.malformed("an object within its heap", "\(length) bytes")
      }
      objects[index] = try cursor.range(length, "object")
      try cursor.skip(min(cursor.left, (8 - length % 8) % 8), "object")
    }
    let found = objects
    heaps.withLock { $0[heap] = found }
    return found
  }
}

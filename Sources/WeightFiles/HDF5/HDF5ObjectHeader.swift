/// What describes a group or a dataset: messages, each of a type.
struct HDF5ObjectHeader: Sendable {
  /// A message.
  struct Message: Sendable {
    let type: MessageType
    /// Whether its content is elsewhere in the file, for several objects at once.
    let isShared: Bool
    let range: Range<Int>
  }

  /// The types that are read; others say nothing that is needed.
  enum MessageType: Int, Sendable {
    case dataspace = 0x01, linkInfo = 0x02, datatype = 0x03, fillValue = 0x05, link = 0x06, externalFiles =
      0x07
    case layout = 0x08, filters = 0x0B, attribute = 0x0C, continuation = 0x10, symbolTable = 0x11
    case attributeInfo = 0x15
  }

  /// Where it is.
  let place: Int
  /// The messages, in order.
  private(set) var messages: [Message] = []

  /// Reads the header at a place, with its continuations.
  init(at place: Int, of bytes: HDF5Bytes) throws(WeightFileError) {
    self.place = place
    var cursor = try bytes.cursor(at: place, "an object header")
    // Blocks of messages: the first, and those that messages name.
    var blocks: [Range<Int>] = []
    var form = MessageForm.first
    if try cursor.byte("version") == 1 {
      try cursor.skip(7, "object header")
      let size = try cursor.number("the header's size", size: 4)
      try cursor.skip(4, "object header")
      blocks.append(try cursor.range(size, "messages"))
    } else {
      cursor = try bytes.cursor(at: place, "an object header")
      try cursor.signature("OHDR", version: 2)
      let flags = try cursor.byte("flags")
      try cursor.skip((flags & 0x20 != 0 ? 16 : 0) + (flags & 0x10 != 0 ? 4 : 0), "object header")
      let size = try cursor.number("the header's size", size: 1 << (flags & 3))
      form = .second(isOrdered: flags & 4 != 0)
      blocks.append(try cursor.range(size, "messages"))
    }
    var next = 0
    while next < blocks.count {
      try read(blocks[next], form, of: bytes, &blocks)
      next += 1
    }
  }

  /// How messages are written.
  private enum MessageForm {
    case first
    case second(isOrdered: Bool)
  }

  private mutating func read(
    _ block: Range<Int>, _ form: MessageForm, of bytes: HDF5Bytes, _ blocks: inout [Range<Int>]
  ) throws(WeightFileError) {
    var cursor = try bytes.cursor(at: block.lowerBound, count: block.count, "messages")
    let least: Int
    switch form {
    case .first: least = 8
    case .second(let isOrdered): least = isOrdered ? 6 : 4
    }
    // What is left behind the last message is a gap.
    while cursor.left >= least {
      let type: Int
      let size: Int
      let flags: Int
      switch form {
      case .first:
        type = try cursor.number("type of message", size: 2)
        size = try cursor.number("size of message", size: 2)
        flags = try cursor.byte("flags of message")
        try cursor.skip(3, "message")
      case .second(let isOrdered):
        type = try cursor.byte("type of message")
        size = try cursor.number("size of message", size: 2)
        flags = try cursor.byte("flags of message")
        if isOrdered { try cursor.skip(2, "message") }
      }
      let start = cursor.place
      try cursor.skip(size, "a message")
      guard let known = MessageType(rawValue: type) else { continue }
      if known == .continuation {
        blocks.append(try Self.continuation(start..<cursor.place, form, of: bytes))
      } else {
        messages.append(Message(type: known, isShared: flags & 2 != 0, range: start..<cursor.place))
      }
    }
  }

  /// The messages of a block that a message names.
  private static func continuation(
    _ range: Range<Int>, _ form: MessageForm, of bytes: HDF5Bytes
  ) throws(WeightFileError) -> Range<Int> {
    var cursor = try bytes.cursor(at: range.lowerBound, count: range.count, "a continuation")
    let address = try cursor.address("the continuation's address")
    let length = try cursor.length("the continuation's length")
    guard let address else { throw cursor.malformed("a continuation's address", "none") }
    var block = try bytes.cursor(at: address, count: length, "a continuation")
    guard case .second = form else { return try block.range(length, "messages") }
    try block.signature("OCHK", version: nil)
    // A checksum is at the end.
    return try block.range(max(0, block.left - 4), "messages")
  }

  /// The first message of a type.
  subscript(type: MessageType) -> Message? { messages.first { $0.type == type } }

  /// Reads the first message of a type; nil where there is none.
  /// - Throws: `WeightFileError.refused` when it is elsewhere.
  func cursor(_ type: MessageType, of bytes: HDF5Bytes) throws(WeightFileError) -> HDF5Cursor? {
    guard let message = self[type] else { return nil }
    return try message.cursor(of: bytes)
  }
}

extension HDF5ObjectHeader.Message {
  /// Reads it.
  /// - Throws: `WeightFileError.refused` when its content is elsewhere.
  func cursor(of bytes: HDF5Bytes) throws(WeightFileError) -> HDF5Cursor {
    let cursor = try bytes.cursor(at: range.lowerBound, count: range.count, "a message")
    if isShared {
      throw cursor.refused("a description that several objects share (a committed type) is not read")
    }
    return cursor
  }
}

import Foundation
import Support
import TestSupport
import Testing

@testable import WeightFiles

/// A message of given bytes.
func withMessage<R>(_ bytes: [UInt8], _ body: (ProtobufReader) throws -> R) throws -> R {
  try withTemporaryFolder { folder in
    try Data(bytes).write(to: URL(fileURLWithPath: folder + "/message"))
    return try body(ProtobufReader(MappedFile(path: folder + "/message")))
  }
}

@Suite struct ProtobufReaderTests {
  private func fields(_ bytes: [UInt8]) throws -> [ProtobufReader.Field] {
    try withMessage(bytes) { message in
      var (message, fields) = (message, [ProtobufReader.Field]())
      while let field = try message.next() { fields.append(field) }
      return fields
    }
  }

  /// The examples of the encoding's own documentation: 150, "testing", and packed 3, 270, 86942.
  @Test func theDocumentationsExamples() throws {
    #expect(try fields([0x08, 0x96, 0x01]) == [.init(number: 1, value: .varint(150), place: 0)])
    let text = try fields([0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67])
    #expect(text == [.init(number: 2, value: .bytes(2..<9), place: 0)])
    try withMessage([0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05]) { message in
      var message = message
      let field = try #require(try message.next())
      var numbers: [Int] = []
      try message.append(field, "numbers", to: &numbers, most: 3)
      #expect(numbers == [3, 270, 86942])
      #expect(throws: WeightFileError.self) { try message.append(field, "numbers", to: &numbers, most: 5) }
      #expect(throws: WeightFileError.self) { try message.integer(field, "a number") }
      #expect(throws: WeightFileError.self) { try message.text(field, "a text", longest: 5) }
    }
  }

  @Test func everyWireType() throws {
    let found = try fields([
      0x09, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x15, 0, 0, 0x20, 0x41, 0x18, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
      0xFF, 0xFF, 0xFF, 0x01,
    ])
    #expect(found.map(\.number) == [1, 2, 3])
    #expect(
      found[0].value == .fixed64(Double(1).bitPattern) && found[1].value == .fixed32(Float(10).bitPattern))
    #expect(found[2].value == .varint(.max))
  }

  /// Field 1 is a group that holds a number and a group; field 2 follows.
  @Test func groupsArePassedOver() throws {
    let found = try fields([0x0B, 0x18, 0x05, 0x2B, 0x2C, 0x0C, 0x10, 0x07])
    #expect(found == [.init(number: 2, value: .varint(7), place: 6)])
  }

  @Test(
    arguments: [
      [0x08], [0x08, 0x80], [0x00], [0x12, 0x02, 0x61], [0x0E], [0x0F], [0x09, 1, 2, 3], [0x0B, 0x14], [0x0B],
      [0x0C],
      [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
      [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02],
      [0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
      [UInt8](repeating: 0x0B, count: 40),
    ] as [[UInt8]]) func whatIsNoMessageIsRefused(bytes: [UInt8]) throws
  {
    let error = #expect(throws: WeightFileError.self) { try fields(bytes) }
    #expect(error.map { "\($0)" }?.contains(": byte ") == true)
  }
}

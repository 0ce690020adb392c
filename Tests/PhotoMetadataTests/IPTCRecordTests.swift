import Testing

@testable import PhotoMetadata

@Suite struct IPTCRecordTests {
  private func set(_ record: UInt8, _ number: UInt8, _ value: [UInt8]) -> [UInt8] {
    [0x1C, record, number, 0, UInt8(value.count)] + value
  }

  /// The bytes as IIM 4.2 has them: 1:90 for UTF-8, 2:00 the version, 2:120 the caption.
  @Test func aNewRecord() throws {
    var record = IPTCRecord()
    try record.setCaption("é!")
    #expect(
      record.bytes == set(1, 90, [0x1B, 0x25, 0x47]) + set(2, 0, [0, 4]) + set(2, 120, [0xC3, 0xA9, 0x21]))
    #expect(try IPTCRecord(record.bytes + [0, 0]) == record)
    #expect(record.caption == "é!")
  }

  /// Others stay where they are; what is Latin-1 becomes UTF-8, for there is one character set for all.
  @Test func othersStay() throws {
    let before =
      set(1, 0, [0, 4]) + set(2, 0, [0, 4]) + set(2, 5, [0x63, 0xE9, 0x80]) + set(2, 120, [0x6F])
      + set(2, 122, [0x77]) + set(2, 202, [0xFF, 0x00, 0xFE]) + set(7, 10, [0xFF])
    var record = try IPTCRecord(before)
    #expect(record.caption == "o" && record.bytes == before)
    try record.setCaption("new")
    #expect(
      record.bytes == set(1, 0, [0, 4]) + set(1, 90, [0x1B, 0x25, 0x47]) + set(2, 0, [0, 4])
        + set(2, 5, Array("cé€".utf8)) + set(2, 120, Array("new".utf8)) + set(2, 122, [0x77])
        + set(2, 202, [0xFF, 0x00, 0xFE]) + set(7, 10, [0xFF]))
  }

  @Test func longCaptionsAreCutBetweenCharacters() throws {
    var record = IPTCRecord()
    try record.setCaption(String(repeating: "€", count: 1000))
    #expect(record.dataSets.last?.value.count == 1998)
    #expect(record.caption == String(repeating: "€", count: 666))
  }

  @Test func largeDataSetsAreRead() throws {
    let value = [UInt8](repeating: 0x61, count: 70_000)
    let bytes: [UInt8] = [0x1C, 2, 120, 0x80, 4, 0, 1, 0x11, 0x70] + value
    let record = try IPTCRecord(bytes)
    #expect(record.dataSets[0].value == value && record.bytes == bytes)
  }

  @Test(
    arguments: [
      [0x1C], [0x1D, 2, 120, 0, 0], [0x1C, 2, 120, 0, 5, 0x61], [0x1C, 2, 120, 0xFF, 0xFF, 0x61],
      [0x1C, 2, 120, 0x80, 4, 0xFF, 0xFF, 0xFF, 0xFF], [0x1C, 2, 120, 0x80, 5, 0, 0, 0, 0, 0],
      [0x1C, 2, 120, 0, 1, 0x61, 0x62],
    ] as [[UInt8]]) func brokenRecordsAreRefused(bytes: [UInt8])
  {
    #expect(throws: MetadataError.self) { try IPTCRecord(bytes) }
  }

  @Test func otherCharacterSetsAreRefused() throws {
    var record = try IPTCRecord(set(1, 90, [0x1B, 0x24, 0x42]) + set(2, 5, [0x61]))
    #expect(throws: MetadataError.self) { try record.setCaption("a") }
  }

  /// Other resources stay; the checksum of what changes goes.
  @Test func resourcesOfPhotoshop() throws {
    func block(_ number: UInt8, _ name: [UInt8], _ data: [UInt8]) -> [UInt8] {
      Array("8BIM".utf8) + [4, number] + name + [0, 0, 0, UInt8(data.count)] + data
        + (data.count % 2 == 0 ? [] : [0])
    }
    let (first, last) = (block(0x0F, [0, 0], [1, 2, 3]), block(0x22, [3, 0x61, 0x62, 0x63], [9]))
    let iptc = set(2, 120, [0x6F])
    var resources = try PhotoshopResources(
      first + block(4, [0, 0], iptc) + block(0x25, [0, 0], [UInt8](repeating: 7, count: 16)) + last)
    #expect(try resources.record.caption == "o")
    var record = IPTCRecord()
    try record.setCaption("n")
    resources.set(record)
    #expect(resources.bytes == first + block(4, [0, 0], record.bytes) + last)
    #expect(try PhotoshopResources(resources.bytes).record == record)
    var none = PhotoshopResources()
    none.set(record)
    #expect(none.bytes == block(4, [0, 0], record.bytes))
    for broken in [
      Array("8BIM".utf8), Array(first.dropLast(3)), [1, 2], Array("8BIM".utf8) + [4, 4, 255, 0],
    ] {
      #expect(throws: MetadataError.self) { try PhotoshopResources(broken) }
    }
  }
}

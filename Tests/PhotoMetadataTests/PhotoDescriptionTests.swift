import Foundation
import TestSupport
import Testing

@testable import PhotoMetadata

@Suite(.enabled(if: XMPPacket.isAvailable, xmlCondition)) struct PhotoDescriptionTests {
  private func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: photo("decode/" + name))))
  }

  private func described(_ file: [UInt8], _ text: String) throws -> [UInt8] {
    try file.withUnsafeBytes { file in
      try PhotoDescription.embedding(text, in: file).flatMap { part -> [UInt8] in
        switch part {
        case .kept(let range): Array(file[range])
        case .new(let bytes): bytes
        }
      }
    }
  }

  private func description(_ file: [UInt8]) throws -> String? {
    try file.withUnsafeBytes { try PhotoDescription.embedded(in: $0) }
  }

  private func segment(_ marker: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0xFF, marker] + bigEndian(payload.count + 2, bytes: 2) + payload
  }

  /// The file without the first place where some bytes are.
  private func without(_ part: [UInt8], _ file: [UInt8]) -> [UInt8] {
    guard let range = Data(file).range(of: Data(part)) else { return [] }
    return Array(file[..<range.lowerBound]) + file[range.upperBound...]
  }

  /// What is put in, taken out again, leaves the very file.
  @Test(arguments: [
    "jpeg-baseline.jpg", "jpeg-progressive.jpg", "jpeg-cmyk.jpg", "jpeg-orientation-6.jpg",
    "jpeg-restarts.jpg",
    "png-rgb.png", "png-exif-6.png", "png-grey-interlaced.png",
  ]) func allElseStays(name: String) throws {
    let file = try bytes(name)
    #expect(try description(file) == nil)
    let new = try described(file, "a dog & <cat>")
    #expect(try description(new) == "a dog & <cat>")
    let xmp = try XMPPacket(description: "a dog & <cat>", embedded: true).bytes
    if name.hasSuffix("png") {
      let text = Array("XML:com.adobe.xmp".utf8) + [0, 0, 0, 0, 0] + xmp
      #expect(without(PictureFiles.chunk("iTXt", text), new) == file)
    } else {
      var (record, resources) = (IPTCRecord(), PhotoshopResources())
      try record.setCaption("a dog & <cat>")
      resources.set(record)
      let app1 = segment(0xE1, Array("http://ns.adobe.com/xap/1.0/\0".utf8) + xmp)
      let app13 = segment(0xED, Array("Photoshop 3.0\0".utf8) + resources.bytes)
      #expect(without(app1 + app13, new) == file)
    }
    // The same text again is the same file, another changes back and forth.
    #expect(try described(new, "a dog & <cat>") == new)
    #expect(try described(described(new, "other"), "a dog & <cat>") == new)
  }

  /// XMP comes behind JFIF and Exif, IPTC next; where there are some already, in their places.
  @Test func segmentsHaveTheirPlaces() throws {
    let file = try bytes("jpeg-orientation-6.jpg")
    func markers(_ file: [UInt8]) -> [UInt8] {
      var (found, place): ([UInt8], Int) = ([], 2)
      while file[place + 1] != 0xDA {
        found.append(file[place + 1])
        place += 2 + Int(file[place + 2]) << 8 + Int(file[place + 3])
      }
      return found
    }
    let new = try described(file, "a")
    let front = Array(markers(file).prefix { $0 == 0xE0 || $0 == 0xE1 })
    #expect(front.contains(0xE1))
    #expect(markers(new) == front + [0xE1, 0xED] + markers(file).dropFirst(front.count))
    // A comment before them stays before them; resources over two segments become one.
    let resources = Array("8BIM".utf8) + [4, 0x0F, 0, 0, 0, 0, 0, 2, 1, 2]
    let signature = Array("Photoshop 3.0\0".utf8)
    let odd =
      Array(file[..<2]) + segment(0xFE, Array("c".utf8)) + segment(0xED, signature + resources[..<5])
      + segment(0xED, signature + resources[5...]) + file[2...]
    let described = try described(odd, "b")
    #expect(try description(described) == "b")
    #expect(markers(described) == [0xE1, 0xFE, 0xED] + markers(file))
    #expect(Data(described).range(of: Data(resources)) != nil)
  }

  /// IPTC alone tells it too.
  @Test func captionsOfIPTCAreDescriptions() throws {
    var (record, resources) = (IPTCRecord(), PhotoshopResources())
    try record.setCaption("old")
    resources.set(record)
    let file = try bytes("jpeg-444.jpg")
    let old = Array(file[..<2]) + segment(0xED, Array("Photoshop 3.0\0".utf8) + resources.bytes) + file[2...]
    #expect(try description(old) == "old")
    #expect(try description(described(old, "new")) == "new")
  }

  /// Further pictures behind the first (Multi-Picture Format) are found where they are then.
  @Test(arguments: [true, false]) func furtherPicturesAreFound(isBigEndian: Bool) throws {
    func number(_ value: Int, _ count: Int) -> [UInt8] {
      isBigEndian ? bigEndian(value, bytes: count) : bigEndian(value, bytes: count).reversed()
    }
    let first = try bytes("jpeg-444.jpg")
    let second = try bytes("jpeg-grey.jpg")
    func index(_ size: Int, _ offset: Int) -> [UInt8] {
      (isBigEndian ? Array("MM".utf8) : Array("II".utf8)) + number(42, 2) + number(8, 4) + number(1, 2)
        + number(0xB002, 2) + number(7, 2) + number(32, 4) + number(26, 4) + number(0, 4)
        + number(0x3_0000, 4) + number(size, 4) + number(0, 4) + number(0, 4)
        + number(0, 4) + number(second.count, 4) + number(offset, 4) + number(0, 4)
    }
    func file(_ place: Int, _ size: Int, _ offset: Int) -> [UInt8] {
      Array(first[..<place]) + segment(0xE2, Array("MPF\0".utf8) + index(size, offset)) + first[place...]
        + second
    }
    for place in [2, 20] {
      let size = file(place, 0, 0).count - second.count
      let before = file(place, size, size - place - 8)
      let after = try described(before, "a dog")
      let start = try #require(Data(after).range(of: Data("MPF\0".utf8))).upperBound
      let found = index(after.count - second.count, after.count - second.count - start)
      #expect(
        Array(after[start..<start + found.count]) == found && after.suffix(second.count).elementsEqual(second)
      )
    }
    var broken = file(20, 0, 0)
    let start = try #require(Data(broken).range(of: Data("MPF\0".utf8))).upperBound
    broken[start + (isBigEndian ? 7 : 4)] = 200
    #expect(throws: MetadataError.self) { try described(broken, "a dog") }
  }

  @Test func whatIsNoPhotoIsRefused() throws {
    let (jpeg, png) = (try bytes("jpeg-444.jpg"), try bytes("png-rgb.png"))
    let xmp = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
    let itxt = Array("XML:com.adobe.xmp\0".utf8)
    for file in [
      [], Array("GIF89a".utf8), [0xFF, 0xD8, 0xFF], Array(jpeg[..<30]), Array(png[..<20]),
      Array(png.dropLast(12)),
      Array(jpeg[..<2]) + segment(0xE1, xmp + Array("<a>".utf8)) + jpeg[2...],
      Array(jpeg[..<2]) + segment(0xED, Array("Photoshop 3.0\0junk".utf8)) + jpeg[2...],
      Array(png[..<33]) + PictureFiles.chunk("iTXt", itxt + [1, 0, 0, 0, 0x78]) + png[33...],
      Array(png[..<33]) + PictureFiles.chunk("iTXt", itxt + [0, 0, 0x65]) + png[33...],
      Array(png[..<8]) + PictureFiles.chunk("IEND", []),
    ] as [[UInt8]] {
      #expect(throws: MetadataError.self) { try described(file, "a dog") }
    }
    let long = String(repeating: "dog ", count: 20_000)
    #expect(throws: MetadataError.self) { try described(jpeg, long) }
    #expect(try description(described(png, long)) == long)
  }

  /// Cut anywhere and with any byte changed, files are read or refused.
  @Test func damageIsRefusedOrHarmless() throws {
    for name in ["jpeg-1x1.jpg", "png-1x1.png"] {
      let whole = try described(bytes(name), "a dog")
      for place in 0..<min(whole.count, 1500) {
        _ = try? description(Array(whole[..<place]))
        var changed = whole
        changed[place] ^= 0x81
        _ = try? described(changed, "a cat")
      }
    }
  }
}

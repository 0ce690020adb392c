internal import Foundation
import Support
import Testing

@testable import Imaging

/// The formats beside PNG and JPEG, on what `tools/golden/formats.py` made: those that are built in.
struct FormatsTests {
  static let fixtures = FixtureFiles.names(
    in: "formats", suffixes: ".webp", ".gif", ".bmp", ".tiff", ".heic", ".avif"
  ).filter { name in
    guard let bytes = try? FixtureFiles.bytes("formats/" + name) else { return false }
    return bytes.withUnsafeBytes { ImageCodecs.codec(of: $0)?.isBuiltIn == true }
  }

  private static func has(_ suffix: String) -> Bool { fixtures.contains { $0.hasSuffix(suffix) } }

  private func reading(_ bytes: [UInt8], lenient: Bool = false) throws -> ImageReader.Reading {
    var reader = ImageReader()
    reader.isLenient = lenient
    return try bytes.withUnsafeBytes { try reader.whole($0, name: "x") }
  }

  private func error(_ bytes: [UInt8]) -> ImageError? {
    #expect(throws: ImageError.self) { try reading(bytes) }
  }

  /// What is stored exactly is read exactly. Versions of the libraries of the other kinds differ a little; libheif before
  /// 1.16 repeats the colours that AVIF stores at half the size, Pillow goes from one to the next.
  @Test(arguments: fixtures) func equalsPillow(name: String) throws {
    let image = try RGBImage(contentsOf: FixtureFiles.folder + "formats/" + name)
    let stem = name.prefix { $0 != "." }
    let golden = try FixtureFiles.golden("formats/\(stem).ppm")
    let tolerances = [("webp-lossy", 2), ("tiff-jpeg", 2), ("heic", 3), ("avif", 8)]
    let tolerance = tolerances.first { name.hasPrefix($0.0) }?.1 ?? 0
    #expect(try #require(largestDifference(image, golden)) <= tolerance)
  }

  @Test func everyVariantHasAFixture() {
    let counts = [".webp": 7, ".gif": 7, ".bmp": 14, ".tiff": 36, ".heic": 8, ".avif": 7, ".ppm": 79]
    for (suffix, count) in counts {
      #expect(FixtureFiles.names(in: "formats", suffixes: suffix).count == count, "\(suffix)")
    }
  }

  /// Whatever is cut off, there is the whole picture or an error; leniently a part at most beside them.
  @Test(arguments: fixtures) func aPrefixIsRefusedOrTheWholePicture(name: String) throws {
    let bytes = try FixtureFiles.bytes("formats/" + name)
    let whole = try reading(bytes).image
    let isHEIF = name.hasSuffix(".heic") || name.hasSuffix(".avif")
    for count in stride(from: isHEIF ? 1 : 0, to: bytes.count, by: isHEIF ? 37 : 7) {
      let prefix = Array(bytes.prefix(count))
      // The orientation of a WebP comes after the pixels.
      let isTurned = name == "webp-exif-6.webp"
      do throws(ImageError) {
        // As Pillow and browsers do, the first of several pictures is taken when it is whole.
        let image = try RGBImage(decoding: prefix, name: "x")
        #expect(image == whole || isTurned && image.oriented(.rotated90) == whole, "\(count) bytes")
      } catch {
        switch error {
        case .corrupt, .cutShort: break
        default: if count > 32 { Issue.record("\(count) bytes: \(error)") }
        }
      }
      if let part = try? reading(prefix, lenient: true) {
        #expect(part.image.size.pixels == whole.size.pixels)
        #expect(part.image == whole || part.warning != nil, "\(count) bytes")
      }
    }
  }

  @Test(arguments: fixtures) func randomDamageNeverCrashes(name: String) throws {
    let bytes = try FixtureFiles.bytes("formats/" + name)
    var random = Random(seed: 7)
    var reader = ImageReader(memory: 24 << 20)
    reader.maximumPixels = 1 << 20
    for round in 0..<(name.hasSuffix(".heic") || name.hasSuffix(".avif") ? 20 : 100) {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        damaged[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      reader.isLenient = round % 2 == 1
      if let image = try? damaged.withUnsafeBytes({ try reader.whole($0, name: name).image }) {
        #expect(image.pixels.count == image.width * image.height * 3)
      }
    }
  }

  /// Rows that are there are taken when asked for, the others grey.
  @Test(arguments: ["webp-lossless.webp", "gif-plain.gif", "bmp-top-down.bmp", "tiff-strips.tiff"])
  func whatIsThereIsTakenWhenAsked(name: String) throws {
    guard Self.fixtures.contains(name) else { return }
    var bytes = try FixtureFiles.bytes("formats/" + name)
    let whole = try reading(bytes).image
    if name.hasPrefix("tiff") {
      // The directory is at the end: the last strip goes behind it. Tag 273, six of type 4, at an offset.
      let tag = try #require(bytes.firstRange(of: [0x11, 1, 4, 0, 6, 0, 0, 0])).lowerBound
      let offsets = bytes[tag + 8..<tag + 12].reversed().reduce(0) { $0 << 8 | Int($1) }
      bytes[offsets + 5 * 4 + 2] = 1
    } else {
      bytes.removeLast(bytes.count / 3)
    }
    guard case .cutShort(_, _, let rows, let all) = error(bytes) else {
      Issue.record("not cut short")
      return
    }
    let part = try reading(bytes, lenient: true)
    #expect(rows > 0 && rows < all && all == whole.height)
    #expect(part.warning?.contains("\(rows) of \(all) rows") == true)
    #expect(part.image.pixels.prefix(rows * whole.width * 3) == whole.pixels.prefix(rows * whole.width * 3))
    #expect(part.image.pixels.suffix(3) == [128, 128, 128])
  }

  /// A damaged HEIC or AVIF is no picture, however lenient one is.
  @Test(arguments: ["heic-plain.heic", "avif-plain.avif"]) func ofSomeNothingIsTaken(name: String) throws {
    guard Self.fixtures.contains(name) else { return }
    let bytes = try FixtureFiles.bytes("formats/" + name)
    #expect(throws: ImageError.self) { try reading(bytes.dropLast(20), lenient: true) }
  }

  // MARK: Sizes that lie

  @Test func hugeBMP() throws {
    var bytes = try FixtureFiles.bytes("formats/bmp-24.bmp")
    bytes.replaceSubrange(18..<26, with: [0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0])
    guard case .tooLarge(_, _, "65535 x 65535 pixels") = error(bytes) else {
      return #expect(Bool(false))
    }
    bytes.replaceSubrange(18..<26, with: [0, 32, 0, 0, 0, 32, 0, 0])
    #expect(error(bytes) == .cutShort(path: "x", format: "BMP", rows: 0, of: 8192))
    bytes.replaceSubrange(22..<26, with: [0, 0, 0, 0x80])
    guard case .tooLarge = error(bytes) else { return #expect(Bool(false)) }
    bytes.replaceSubrange(18..<22, with: [0, 0, 0, 0x80])
    guard case .corrupt(_, _, "a picture without pixels") = error(bytes) else {
      return #expect(Bool(false))
    }
  }

  @Test(.enabled(if: has(".gif"))) func hugeGIF() throws {
    let bytes = try FixtureFiles.bytes("formats/gif-interlaced.gif")
    var screen = bytes
    screen.replaceSubrange(6..<10, with: [0xFF, 0xFF, 0xFF, 0xFF])
    guard case .tooLarge(_, _, "65535 x 65535 pixels") = error(screen) else {
      return #expect(Bool(false))
    }
    // Interlaced it would take 192 MiB.
    let frame = try #require(bytes.firstRange(of: [0x2C, 0, 0, 0, 0, 35, 0, 27, 0])).lowerBound
    var large = bytes
    large.replaceSubrange(frame + 5..<frame + 9, with: [0, 32, 0, 32])
    #expect(
      error(large)
        == .corrupt(path: "x", expected: "a whole GIF image", found: "too little data for its size"))
  }

  @Test(.enabled(if: has(".gif"))) func aGIFOfExtensionsOnly() {
    let comment: [UInt8] = [0x21, 0xFE, 1, 65, 0]
    let start = Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0]
    let found = error(start + [[UInt8]](repeating: comment, count: 100_000).flatMap(\.self) + [0x3B])
    #expect(found == .corrupt(path: "x", expected: "a whole GIF image", found: "no picture"))
  }

  @Test(.enabled(if: has(".webp"))) func hugeWebP() throws {
    // 16383 x 16383 in 26 bytes: refused by the memory that it would take.
    let bytes =
      Array("RIFF".utf8) + [18, 0, 0, 0] + Array("WEBPVP8L".utf8) + [
        5, 0, 0, 0, 0x2F, 0xFE, 0xBF, 0xFF, 0x0F,
      ]
    guard case .tooLarge(_, let expected, _) = error(bytes + [0]) else {
      return #expect(Bool(false))
    }
    #expect(expected == "a picture that takes at most 640 MiB to decode")
  }

  /// Tags of a TIFF of 8-bit grey, each one number.
  private func tiff(_ tags: [(Int, UInt32)], next: UInt32 = 0, pixels: [UInt8] = []) -> [UInt8] {
    func bytes(_ value: UInt32, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(value >> (8 * $0) & 255) }
    }
    let entries = tags.sorted { $0.0 < $1.0 }.flatMap { tag, value in
      bytes(UInt32(tag), 2) + bytes(4, 2) + bytes(1, 4) + bytes(value, 4)
    }
    return Array("II*\0".utf8) + bytes(8, 4) + bytes(UInt32(tags.count), 2) + entries + bytes(next, 4)
      + pixels
  }

  @Test(.enabled(if: has(".tiff"))) func oddTIFFs() throws {
    let tags: [(Int, UInt32)] = [
      (256, 4), (257, 2), (258, 8), (259, 1), (262, 1), (273, 110), (277, 1), (278, 2), (279, 8),
    ]
    func changed(_ changes: [Int: UInt32], next: UInt32 = 0) -> [UInt8] {
      let all = Dictionary(uniqueKeysWithValues: tags).merging(changes) { $1 }
      let start = UInt32(8 + 2 + all.count * 12 + 4)
      return tiff(all.map { ($0, $0 == 273 ? start : $1) }, next: next, pixels: [1, 2, 3, 4, 5, 6, 7, 8])
    }
    let image = try reading(changed([:])).image
    #expect(image.pixels == (1...8).flatMap { [UInt8](repeating: $0, count: 3) })
    // A directory that follows itself: only the first is read.
    #expect(try reading(changed([:], next: 8)).image == image)
    guard case .tooLarge(_, _, "65535 x 65535 pixels") = error(changed([256: 65535, 257: 65535])) else {
      return #expect(Bool(false))
    }
    // Too little data, in strips and in a tile of 400 MiB.
    #expect(error(changed([256: 20000, 257: 20000, 278: 20000])) != nil)
    #expect(error(changed([256: 20000, 257: 20000, 322: 20000, 323: 20000, 324: 8, 325: 8])) != nil)
    // A tile of 4 GiB.
    guard case .tooLarge(_, let expected, _) = error(changed([322: 65520, 323: 65520, 324: 8, 325: 8])) else {
      return #expect(Bool(false))
    }
    #expect(expected == "a picture that takes at most 640 MiB to decode")
    func unsupported(_ changes: [Int: UInt32]) -> String? {
      guard case .unsupported(_, _, let found) = error(changed(changes)) else { return nil }
      return found
    }
    #expect(unsupported([339: 3, 258: 32]) == "32-bit samples that are floating-point numbers")
    #expect(unsupported([258: 12]) == "12 bits a sample")
    #expect(unsupported([262: 8]) == "photometric interpretation 8")
    #expect(unsupported([259: 34_000]) == "compression 34000")
  }

  /// Strips that all are the whole file would be read again and again.
  @Test(.enabled(if: has(".tiff"))) func stripsThatOverlap() {
    func numbers(_ values: [UInt32]) -> [UInt8] {
      values.flatMap { v in (0..<4).map { UInt8(v >> (8 * $0) & 255) } }
    }
    let (count, size) = (5000, UInt32(60_000))
    var bytes = Array("II*\0".utf8) + numbers([8]) + [9, 0]
    let offsets = UInt32(8 + 2 + 9 * 12 + 4)
    let tags: [(UInt32, UInt32, UInt32)] = [
      (256, 1, 1), (257, 1, UInt32(count)), (258, 1, 8), (259, 1, 32773), (262, 1, 1),
      (273, UInt32(count), offsets), (277, 1, 1), (278, 1, 1),
      (279, UInt32(count), offsets + 4 * UInt32(count)),
    ]
    for (tag, count, value) in tags { bytes += numbers([tag | 4 << 16, count, value]) }
    bytes += numbers([0] + [UInt32](repeating: 0, count: count) + [UInt32](repeating: size, count: count))
    bytes += [UInt8](repeating: 0x80, count: Int(size))
    #expect(
      error(bytes)
        == .corrupt(path: "x", expected: "a whole TIFF image", found: "strips or tiles that overlap"))
  }

  /// The streams of HEIC and AVIF are believed by the decoders, not the header before them.
  @Test(arguments: ["heic-plain.heic", "avif-plain.avif"]) func streamsAreAskedForTheirSize(name: String)
    throws
  {
    guard Self.fixtures.contains(name) else { return }
    var bytes = try FixtureFiles.bytes("formats/" + name)
    let claims = bytes.withUnsafeBytes { HEIFClaims($0) }
    // A frame's sides are multiples of 8, or so many bits.
    #expect(claims.largest >= 66 * 50 && claims.largest <= 128 * 64)
    #expect(claims.total == claims.largest && claims.longestStream > 100)
    if name.hasPrefix("avif") {  // the header says 8 x 8
      let place = try #require(bytes.firstRange(of: Array("ispe".utf8))).upperBound + 4
      bytes.replaceSubrange(place..<place + 8, with: [0, 0, 0, 8, 0, 0, 0, 8])
    }
    var reader = ImageReader()
    reader.maximumPixels = claims.total - 1
    let found = #expect(throws: ImageError.self) {
      try bytes.withUnsafeBytes { try reader.whole($0, name: "x") }
    }
    guard case .tooLarge(_, _, let message) = found else { return #expect(Bool(false)) }
    #expect(message == "\(claims.total) pixels in all its parts")
  }
}

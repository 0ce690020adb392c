@testable import Imaging

#if canImport(TestSupport)
  import TestSupport
#endif

extension ForeignReader {
  static let png = ForeignReader(
    name: "png", fixtures: ".png",
    words: ["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "iCCP", "eXIf"],
    seeds: {
      [
        PictureFiles.blackPNG(width: 9, height: 5, orientation: 6),
        PictureFiles.blackPNG(width: 700, height: 300, texts: (2, 5000)),
      ]
    }, repair: checksum, read: picture)

  static let jpeg = ForeignReader(
    name: "jpeg", fixtures: ".jpg", words: ["Exif\0\0", "JFIF\0", "Adobe"],
    seeds: {
      let pixels = (0..<17 * 11 * 3).map { UInt8(truncatingIfNeeded: $0 * $0) }
      return [
        PictureFiles.greyJPEG(width: 40, height: 20, progressive: true),
        PictureFiles.greyJPEG(width: 40, height: 20, progressive: false),
        Array(RGBImage(width: 17, height: 11, pixels: pixels).jpeg(quality: 60) ?? []),
      ]
    }, read: picture)

  static let webp = ForeignReader(
    name: "webp", fixtures: ".webp",
    words: ["VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF", "EXIF", "ICCP", "\u{9D}\u{1}*"],
    seeds: {
      [
        // One white pixel, without loss.
        Array("RIFF".utf8) + [28, 0, 0, 0] + Array("WEBPVP8L".utf8)
          + [15, 0, 0, 0, 0x2F, 0, 0, 0, 0x10, 0x07, 0x10, 0xFD, 0x8F, 0xFE, 0x07, 0x22, 0xA2, 0xFF, 1, 0]
      ]
    }, read: picture)

  static let gif = ForeignReader(
    name: "gif", fixtures: ".gif", words: ["GIF87a", "GIF89a", "!\u{F9}\u{4}", "NETSCAPE2.0"],
    seeds: {
      [
        Array("GIF89a".utf8) + [
          1, 0, 1, 0, 0x80, 0, 0, 9, 9, 9, 0, 0, 0, 44, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 68, 1, 0, 59,
        ]
      ]
    }, read: picture)

  static let bmp = ForeignReader(
    name: "bmp", fixtures: ".bmp", words: ["BM"],
    seeds: {
      [
        Array("BM".utf8) + [
          30, 0, 0, 0, 0, 0, 0, 0, 26, 0, 0, 0, 12, 0, 0, 0, 1, 0, 1, 0, 1, 0, 24, 0, 1, 2, 3, 0,
        ]
      ]
    }, read: picture)

  static let tiff = ForeignReader(
    name: "tiff", fixtures: ".tiff", words: ["II*\0", "MM\0*", "II+\0", "MM\0+"],
    seeds: {
      // Two pixels of 8-bit grey.
      let tags: [(UInt8, UInt8, UInt8)] = [
        (0, 1, 2), (1, 1, 1), (2, 1, 8), (6, 1, 1), (17, 1, 8), (23, 1, 2),
      ]
      return [
        Array("II*\0".utf8) + [10, 0, 0, 0, 7, 9, 6, 0]
          + tags.flatMap { [$0.0, 1, 3, 0, $0.1, 0, 0, 0, $0.2, 0, 0, 0] } + [0, 0, 0, 0]
      ]
    }, read: picture)

  /// HEIC and AVIF.
  static let heif = ForeignReader(
    name: "heif", fixtures: ".heic",
    words: ["ftyp", "heic", "avif", "meta", "iloc", "ispe", "hvcC", "av1C", "irot", "auxC"],
    seeds: {
      [[0, 0, 0, 16] + Array("ftypheic\0\0\0\0".utf8) + [0, 0, 0, 12] + Array("meta\0\0\0\0".utf8)]
    },
    read: damagedStream)

  /// EXIF data, and guesses at what a file is.
  static let orientation = ForeignReader(
    name: "orientation", longest: 256, words: ["II*\0", "MM\0*", "Exif\0\0", "eXIf"],
    seeds: {
      let little: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]
      let big: [UInt8] = [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]
      let segment: [UInt8] =
        [0xFF, 0xD8, 0xFF, 0xE1, 0, UInt8(8 + little.count)] + Array("Exif\0\0".utf8) + little
      return [little, big, segment, Array(PictureFiles.blackPNG(width: 1, height: 1, orientation: 3))]
    },
    read: { bytes, _ in
      _ = Orientation(ofTIFF: bytes)
      for codec in ImageCodecs.all { _ = codec.orientation(bytes) }
      guard !ForeignFile.guess(bytes).isEmpty else { throw Wrong("no guess") }
    })

  /// At most 1 Mi pixels in 24 MiB: what takes more is a bomb.
  private static func reader(lenient: Bool) -> ImageReader {
    var reader = ImageReader(memory: 24 << 20)
    reader.maximumPixels = 1 << 20
    reader.isLenient = lenient
    return reader
  }

  /// Decodes a picture twice, strictly and leniently, and as a network sees it.
  private static let picture: @Sendable (UnsafeRawBufferPointer, ScratchFile) throws -> Void = {
    bytes, file in
    for lenient in [false, true] {
      let reader = reader(lenient: lenient)
      let first = outcome { try reader.whole(bytes, name: "file") }
      let second = outcome { try reader.whole(bytes, name: "file") }
      guard first.error == second.error, first.value?.image == second.value?.image,
        first.value?.warning == second.value?.warning
      else { throw Wrong("decoded twice, it differs: \(first.error) \(second.error)") }
      guard let image = first.value?.image else {
        if first.error.isEmpty || !first.error.hasPrefix("file: ") {
          throw Wrong("refused with: \(first.error)")
        }
        continue
      }
      guard image.pixels.count == image.width * image.height * 3 else { throw Wrong("pixels are missing") }
      file.hold(bytes)
      let preprocessing = try Preprocessing(
        width: 12, height: 9, resize: .shortSideThenCenterCrop(shortSide: 14), channelOrder: .rgb,
        scale: .unit,
        mean: [0, 0, 0], standardDeviation: [1, 1, 1])
      var exact = reader
      exact.decoding = .exact
      let fitted = try exact.fitted(contentsOf: file.path, to: preprocessing).image
      guard fitted == preprocessing.fitted(image) else { throw Wrong("row by row it is another picture") }
      // Decoded at a reduced scale it is another picture, but always the same one, of the same size.
      let scaled = try (0..<2).map { _ in try reader.fitted(contentsOf: file.path, to: preprocessing).image }
      guard scaled[0] == scaled[1], scaled[0].width == fitted.width, scaled[0].height == fitted.height else {
        throw Wrong("decoded twice at a reduced scale, it differs")
      }
    }
  }

  /// Decodes a picture whose decoder leaves what a damaged stream does not reach as it finds its memory (libde265 does):
  /// its pixels may be others the next time.
  private static let damagedStream: @Sendable (UnsafeRawBufferPointer, ScratchFile) throws -> Void = {
    bytes, _ in
    let found = outcome { try reader(lenient: false).whole(bytes, name: "file") }
    if let image = found.value?.image {
      guard image.pixels.count == image.width * image.height * 3 else { throw Wrong("pixels are missing") }
    } else if !found.error.hasPrefix("file: ") {
      throw Wrong("refused with: \(found.error)")
    }
  }

  /// Makes the checksums of a PNG's chunks right.
  private static let checksum: @Sendable (inout [UInt8]) -> Void = { file in
    var at = 8
    while at + 12 <= file.count {
      let length = file[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      let end = at + 8 + length
      guard end + 4 <= file.count else { return }
      let kind = String(decoding: file[at + 4..<at + 8], as: UTF8.self)
      guard kind.utf8.count == 4 else { return }
      file.replaceSubrange(end..<end + 4, with: PictureFiles.chunk(kind, Array(file[at + 8..<end])).suffix(4))
      at = end + 4
    }
  }
}

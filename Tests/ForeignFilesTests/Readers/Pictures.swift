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

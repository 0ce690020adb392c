internal import CImageCodecs

/// HEIC or AVIF, by libheif: the primary image, which libheif turns upright.
struct HEIFCodec: ImageCodec {
  let name: String
  let mediaTypes: [String]
  let kinds: String
  let scales: [DecodingScale] = []
  let library: Library? = Library(CI_HEIF, package: "libheif-dev")
  /// Those that files of the format say they follow, the first or any other.
  private let brands: [String]

  static let heic = HEIFCodec(
    name: "HEIC", kinds: "an HEIC image that libheif decodes (libheif-plugin-libde265 after Debian 12)",
    mediaTypes: ["image/heic", "image/heif"],
    brands: ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1"])
  static let avif = HEIFCodec(
    name: "AVIF", kinds: "an AVIF image that libheif decodes (libheif-plugin-dav1d after Debian 12)",
    mediaTypes: ["image/avif"], brands: ["avif", "avis"])

  private init(name: String, kinds: String, mediaTypes: [String], brands: [String]) {
    self.name = name
    self.kinds = kinds
    self.mediaTypes = mediaTypes
    self.brands = brands
  }

  func matches(_ start: UnsafeRawBufferPointer) -> Bool {
    guard let size = start.integer(at: 0, size: 4), start.dropFirst(4).starts(with: "ftyp".utf8) else {
      return false
    }
    // The first brand, a version, and the others.
    let places = [8] + Array(stride(from: 16, to: min(size, start.count), by: 4))
    return places.contains { place in
      brands.contains { start.count >= place + 4 && start[place..<place + 4].elementsEqual($0.utf8) }
    }
  }

  func orientation(_ file: UnsafeRawBufferPointer) -> Orientation { .upright }

  func decode(
    _ file: UnsafeRawBufferPointer, _ options: ci_options, into sink: (any RowSink)?,
    _ report: inout ci_report
  ) -> ci_outcome {
    let outcome = Imaging.decode(with: ci_read_heif, file, options, into: nil, &report)
    guard outcome == CI_DECODED else { return outcome }
    // The decoders believe the coded streams, whatever the file's header says.
    let claims = HEIFClaims(file)
    let pixels = Int(report.width) * Int(report.height)
    guard claims.total <= options.maximum_pixels else {
      report.say(claims.total == Int.max ? "parts that overlap" : "\(claims.total) pixels in all its parts")
      return CI_TOO_LARGE
    }
    if claims.largest > pixels {
      // A number that any budget refuses is large enough.
      report.memory = report.memory / UInt64(pixels) * UInt64(min(claims.largest, 1 << 40))
    }
    report.memory += UInt64(claims.longestStream)
    guard let sink else { return outcome }
    return Imaging.decode(with: ci_read_heif, file, options, into: sink, &report)
  }
}

internal import Foundation

@testable import Imaging

/// The files that `tools/golden/imaging.py` made.
enum FixtureFiles {
  static let folder = (#filePath as NSString).deletingLastPathComponent + "/Fixtures/"

  /// Names in a folder of the fixtures that end so, sorted.
  static func names(in subfolder: String, suffixes: String...) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + subfolder)) ?? []
    return names.filter { name in suffixes.contains { name.hasSuffix($0) } }.sorted()
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder + name)))
  }

  /// Little-endian floats.
  static func floats(_ name: String) throws -> [Float] {
    let bytes = try bytes(name)
    return stride(from: 0, to: bytes.count, by: 4).map { i in
      Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[i + $1]) << (8 * UInt32($1)) })
    }
  }

  /// A golden picture: binary PPM as Pillow writes it, `P6\nwidth height\n255\n` and the samples.
  static func golden(_ name: String) throws -> RGBImage {
    let bytes = try bytes(name)
    let lines = bytes.split(separator: 10, maxSplits: 3, omittingEmptySubsequences: false)
    let sides = String(decoding: lines[1], as: UTF8.self).split(separator: " ").compactMap { Int($0) }
    return RGBImage(width: sides[0], height: sides[1], pixels: Array(lines[3]))
  }
}

/// The largest difference of two samples; nil when the sizes differ.
func largestDifference(_ a: RGBImage, _ b: RGBImage) -> Int? {
  guard (a.width, a.height) == (b.width, b.height) else { return nil }
  return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max()
}

/// A folder that exists while `body` runs.
func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = NSTemporaryDirectory() + "imaging-tests-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

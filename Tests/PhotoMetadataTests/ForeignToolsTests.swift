import Foundation
import TestSupport
import Testing

@testable import PhotoMetadata

/// Descriptions as ExifTool and Exiv2 read them, and the other way round.
@Suite struct ForeignToolsTests {
  private static let exiftool = tool("exiftool")
  private static let exiv2 = tool("exiv2")

  private static func tool(_ name: String) -> String? {
    ["/usr/bin/", "/usr/local/bin/"].map { $0 + name }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  private static func run(_ tool: String?, _ arguments: String...) throws -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(tool))
    process.arguments = arguments
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: data, as: UTF8.self)
  }

  /// All that ExifTool finds in a file but for its own name, size and times.
  private func tags(_ path: String) throws -> [String: String] {
    let json = try Self.run(
      Self.exiftool, "-json", "-G1", "-a", "-struct", "-x", "System:all", "-x", "ExifTool:ExifToolVersion",
      path)
    let objects = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]]
    return (objects?.first ?? [:]).filter { $0.key != "SourceFile" }.mapValues { "\($0)" }
  }

  private func describe(_ path: String, _ text: String) throws {
    let file = try Data(contentsOf: URL(fileURLWithPath: path))
    let new = try file.withUnsafeBytes { file in
      try PhotoDescription.embedding(text, in: file).reduce(into: Data()) { data, part in
        switch part {
        case .kept(let range): data += file[range]
        case .new(let bytes): data += bytes
        }
      }
    }
    try new.write(to: URL(fileURLWithPath: path))
  }

  private func copy(_ name: String, in folder: String) throws -> String {
    let path = folder + "/" + name
    try FileManager.default.copyItem(atPath: photo("decode/" + name), toPath: path)
    return path
  }

  private static let text = "a dog, \"Žofie\" & 一只猫"

  @Test(
    .enabled(if: exiftool != nil, "needs exiftool (Debian: libimage-exiftool-perl)"),
    .enabled(if: XMPPacket.isAvailable, xmlCondition),
    arguments: ["jpeg-orientation-6.jpg", "jpeg-progressive.jpg", "png-exif-6.png"]
  ) func exiftoolReadsThemAndAllElse(name: String) throws {
    try withTemporaryFolder { folder in
      let path = try copy(name, in: folder)
      _ = try Self.run(
        Self.exiftool, "-overwrite_original", "-XMP-dc:Title=Tïtle", "-XMP-dc:Description-de=ein Hund",
        "-XMP-xmp:Rating=4", "-XMP-dc:Subject=one", "-XMP-dc:Subject=two", "-EXIF:Artist=Ann",
        "-EXIF:GPSLatitude=12.5",
        path)
      if name.hasSuffix("jpg") {
        _ = try Self.run(
          Self.exiftool, "-overwrite_original", "-IPTC:Keywords=Käse", "-IPTC:City=Zürich",
          "-Photoshop:URL=http://a.b/",
          "-charset", "iptc=Latin1", path)
      }
      let before = try tags(path)
      try describe(path, Self.text)
      var after = try tags(path)
      #expect(after["XMP-dc:Description"] == Self.text)
      var own = ["XMP-dc:Description": Self.text]
      if name.hasSuffix("jpg") {
        own["IPTC:Caption-Abstract"] = Self.text
        #expect(after["IPTC:Caption-Abstract"] == Self.text)
        #expect(after["IPTC:City"] == "Zürich" && after["IPTC:CodedCharacterSet"] == "UTF8")
        // How the character set is called was not told before, and follows from the checksum.
        for key in ["IPTC:CodedCharacterSet", "File:CurrentIPTCDigest", "Photoshop:IPTCDigest"] {
          after[key] = before[key]
        }
      }
      #expect(after == before.merging(own) { $1 })
      let validation = try Self.run(Self.exiftool, "-validate", "-warning", "-a", "-s3", path)
      let old = try Self.run(Self.exiftool, "-validate", "-warning", "-a", "-s3", photo("decode/" + name))
      #expect(validation == old, "\(validation)")
    }
  }

  @Test(
    .enabled(if: exiv2 != nil, "needs exiv2"), .enabled(if: XMPPacket.isAvailable, xmlCondition),
    arguments: ["jpeg-orientation-6.jpg", "png-rgb.png"]
  ) func exiv2ReadsThem(name: String) throws {
    try withTemporaryFolder { folder in
      let path = try copy(name, in: folder)
      _ = try Self.run(Self.exiv2, "-M", "set Xmp.xmp.Rating XmpText 3", path)
      try describe(path, Self.text)
      let xmp = try Self.run(Self.exiv2, "-PXkv", path)
      #expect(xmp.contains("lang=\"x-default\" " + Self.text) && xmp.contains("Xmp.xmp.Rating"), "\(xmp)")
      if name.hasSuffix("jpg") {
        #expect(try Self.run(Self.exiv2, "-PIkv", path).contains(Self.text))
      }
      // Written over by Exiv2 it is read again.
      _ = try Self.run(Self.exiv2, "-M", "set Xmp.dc.description lang=x-default other", path)
      let file = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(try file.withUnsafeBytes { try PhotoDescription.embedded(in: $0) } == "other")
    }
  }

  /// A side file of ours, changed by Exiv2 and read again.
  @Test(
    .enabled(if: exiftool != nil, "needs exiftool (Debian: libimage-exiftool-perl)"),
    .enabled(if: XMPPacket.isAvailable, xmlCondition)
  ) func sideFilesGoBackAndForth() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.jpg.xmp"
      try Data(XMPPacket(description: Self.text, embedded: false).bytes).write(to: URL(fileURLWithPath: path))
      #expect(try tags(path)["XMP-dc:Description"] == Self.text)
      _ = try Self.run(Self.exiftool, "-overwrite_original", "-XMP-dc:Title=title", path)
      var packet = try XMPPacket(Array(Data(contentsOf: URL(fileURLWithPath: path))))
      #expect(packet.description == Self.text)
      try packet.setDescription("new")
      try Data(packet.bytes).write(to: URL(fileURLWithPath: path))
      let found = try tags(path)
      #expect(found["XMP-dc:Description"] == "new" && found["XMP-dc:Title"] == "title")
    }
  }
}

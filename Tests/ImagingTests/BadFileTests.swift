internal import Foundation
import Support
import Testing

@testable import Imaging

struct BadFileTests {
  static let fixtures = FixtureFiles.names(in: "decode", suffixes: ".png", ".jpg")

  private func error(decoding bytes: [UInt8]) -> ImageError? {
    #expect(throws: ImageError.self) { try RGBImage(decoding: bytes, name: "x") }
  }

  /// Every beginning of every fixture that lacks at least its last byte: refused, unless all pixels are there.
  @Test(arguments: fixtures)
  func aPrefixIsRefusedOrTheWholePicture(name: String) throws {
    let bytes = try FixtureFiles.bytes("decode/" + name)
    let whole = try RGBImage(decoding: bytes, name: "whole")
    var taken = 0
    for count in 0..<bytes.count {
      do throws(ImageError) {
        #expect(try RGBImage(decoding: Array(bytes.prefix(count)), name: "x") == whole, "\(count) bytes")
        taken += 1
      } catch {
        if count == 0 { #expect(error == .empty(path: "x")) }
        switch error {
        case .corrupt, .cutShort: break
        default: if count > 8 { Issue.record("\(count) bytes: \(error)") }
        }
      }
    }
    #expect((1..<40).contains(taken), "\(taken) prefixes were taken")
  }

  @Test func messagesSayWhatIsWrong() throws {
    let jpeg = try FixtureFiles.bytes("decode/jpeg-baseline.jpg")
    let png = try FixtureFiles.bytes("decode/png-rgb.png")
    func message(_ bytes: [UInt8]) -> String? { error(decoding: bytes)?.description }
    #expect(
      message(Array(jpeg.dropLast(100)))
        == "x: expected a whole JPEG image, found one that is cut short: 16 of 27 rows (59 %) are there; "
        + "--lenient takes what is there")
    #expect(message(Array(png.dropLast(100)))?.contains("found one that is cut short") == true)
    let names = ImageCodecs.names
    #expect(names.hasPrefix("PNG, JPEG") && names.contains("BMP"))
    #expect(message([]) == "x: expected a \(names) image, found an empty file")
    #expect(message(Array("hello\n".utf8)) == "x: expected a \(names) image, found text")
    #expect(message(Array("BMW is a car\n".utf8)) == "x: expected a \(names) image, found text")
    #expect(message(Array("%PDF-1.4\n".utf8)) == "x: expected a \(names) image, found a PDF document")
    #expect(
      message([0, 0, 0, 24] + Array("ftypmp42".utf8)) == "x: expected a \(names) image, found a video")
    #expect(message([0, 1, 2, 3]) == "x: expected a \(names) image, found unknown data")
    #expect(
      ImageError.notBuiltIn(path: "x", format: "WebP", package: "libwebp-dev").description
        == "x: expected a \(names) image, found WebP, which this build does not read: "
        + "apt-get install libwebp-dev, swift package purge-cache, and build again")
  }

  /// The frame header: FF C0, length (2), precision, height (2), width (2).
  private func frameHeader(_ jpeg: [UInt8]) throws -> Int {
    try #require(jpeg.firstRange(of: [0xFF, 0xC0])).lowerBound
  }

  @Test func twelveBitJPEGIsUnsupported() throws {
    var jpeg = try FixtureFiles.bytes("decode/jpeg-baseline.jpg")
    jpeg[try frameHeader(jpeg) + 4] = 12
    let expected = "x: expected an 8-bit baseline or progressive JPEG, found: 12 bits a sample"
    #expect(error(decoding: jpeg)?.description == expected)
  }

  @Test func losslessJPEGIsUnsupported() throws {
    var jpeg = try FixtureFiles.bytes("decode/jpeg-baseline.jpg")
    jpeg[try frameHeader(jpeg) + 1] = 0xC3
    guard case .unsupported = error(decoding: jpeg) else { return #expect(Bool(false)) }
  }

  @Test func hugeImagesAreRefusedByTheirHeader() throws {
    var jpeg = try FixtureFiles.bytes("decode/jpeg-baseline.jpg")
    let frame = try frameHeader(jpeg)
    jpeg.replaceSubrange((frame + 5)..<(frame + 9), with: [0xF0, 0, 0xF0, 0])
    guard case .tooLarge(_, _, "61440 x 61440 pixels") = error(decoding: jpeg) else {
      return #expect(Bool(false))
    }
    // A PNG header of 2^24 x 2^24 pixels, 8-bit grey, with its checksum; nothing follows but an empty IDAT.
    let bomb: [UInt8] = [
      0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 1, 0, 0, 0, 1, 0,
      0, 0,
      8, 0, 0, 0, 0,
    ]
    let idat: [UInt8] = [0, 0, 0, 0, 0x49, 0x44, 0x41, 0x54, 0x35, 0xAF, 0x06, 0x1E]
    let header = bomb + crc32(bomb.dropFirst(12))
    guard case .tooLarge(_, _, "16777216 x 16777216 pixels") = error(decoding: header + idat) else {
      return #expect(Bool(false))
    }
    // 8192 x 8192 is allowed, but 57 bytes don't hold it.
    var small = bomb
    small.replaceSubrange(16..<24, with: [0, 0, 32, 0, 0, 0, 32, 0])
    let found = error(decoding: small + crc32(small.dropFirst(12)) + idat)
    #expect(found == .cutShort(path: "x", format: "PNG", rows: 0, of: 8192))
    // Interlaced it would take 192 MiB.
    small[28] = 1
    let interlaced = error(decoding: small + crc32(small.dropFirst(12)) + idat)
    #expect(
      interlaced == .corrupt(path: "x", expected: "a whole PNG image", found: "too little data for its size"))
  }

  /// PNG's checksum.
  private func crc32(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var crc: UInt32 = ~0
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: ~crc >> $0) }
  }

  /// Damaged bytes give an error or a picture of a possible size: never a crash.
  @Test(arguments: fixtures)
  func randomDamageNeverCrashes(name: String) throws {
    let bytes = try FixtureFiles.bytes("decode/" + name)
    var random = Random(seed: 7)
    for _ in 0..<200 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        damaged[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      if let image = try? RGBImage(decoding: damaged, name: name) {
        #expect(image.pixels.count == image.width * image.height * 3)
      }
    }
  }

  @Test func fileErrors() throws {
    try withTemporaryFolder { folder in
      #expect(throws: ImageError.unreadable(path: folder + "/none", reason: "No such file or directory")) {
        try RGBImage(contentsOf: folder + "/none")
      }
      #expect(throws: ImageError.unreadable(path: folder, reason: "is a directory")) {
        try RGBImage(contentsOf: folder)
      }
      #expect(throws: ImageError.unreadable(path: "/dev/zero", reason: "a device, not a regular file")) {
        try RGBImage(contentsOf: "/dev/zero")
      }
      try Data().write(to: URL(fileURLWithPath: folder + "/empty.jpg"))
      #expect(throws: ImageError.empty(path: folder + "/empty.jpg")) {
        try RGBImage(contentsOf: folder + "/empty.jpg")
      }
    }
  }
}

struct ImageFilesTests {
  @Test func aFolderMeansItsVisibleFilesSorted() throws {
    try withTemporaryFolder { folder in
      for name in ["b.jpg", "A.JPEG", "a.txt", ".DS_Store", "Thumbs.db"] {
        try Data([1]).write(to: URL(fileURLWithPath: folder + "/" + name))
      }
      // By its content.
      try Data(FixtureFiles.bytes("decode/png-1x1.png")).write(to: URL(fileURLWithPath: folder + "/c"))
      try FileManager.default.createDirectory(atPath: folder + "/inner", withIntermediateDirectories: false)
      let listing = try ImageFiles.list(folder)
      #expect(listing.files == ["A.JPEG", "b.jpg", "c"].map { folder + "/" + $0 })
      #expect(
        listing.notes == [
          "\(folder): 1 folder left out: --recursive goes into them",
          "\(folder): 2 files that are no images skipped",
        ])
      #expect(listing.others == 2)
      #expect(try ImageFiles.list(folder + "/").files == listing.files)
      #expect(try ImageFiles.list(folder + "/b.jpg").files == [folder + "/b.jpg"])
      #expect(try ImageFiles.list(folder + "/none").files == [folder + "/none"])
      #expect(try ImageFiles.list(folder + "/inner") == ImageFiles.Listing())
    }
  }

  /// What lies beside photos is none of them; what should be one, or can't be looked at, is still named.
  @Test func whatLiesBesidePhotos() throws {
    try withTemporaryFolder { folder in
      let files: [(String, [UInt8])] = [
        ("a.xmp", Array("<x:xmpmeta/>".utf8)), ("b.json", Array("{}".utf8)), ("c.csv", []),
        ("d.mp4", [0, 0, 0, 24] + Array("ftypmp42".utf8)), ("e", [0xD0, 0xCF, 0x11, 0xE0]),
      ]
      for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name)) }
      let listing = try ImageFiles.list(folder)
      #expect(listing.files.isEmpty && listing.others == 5 && listing.lack == "a folder without images")
      try Data("text".utf8).write(to: URL(fileURLWithPath: folder + "/damaged.jpg"))
      try Data([0, 0, 0, 12] + Array("JXL ".utf8)).write(
        to: URL(fileURLWithPath: folder + "/of-another-format"))
      symlink("/nowhere", folder + "/broken")
      let found = try ImageFiles.list(folder)
      #expect(found.files == ["broken", "damaged.jpg", "of-another-format"].map { folder + "/" + $0 })
      #expect(found.notes == ["\(folder): 5 files that are no images skipped"])
      // One that is named is an error.
      #expect(try ImageFiles.list(folder + "/b.json").files == [folder + "/b.json"])
    }
  }

  /// Folders are gone into once each, links that lead nowhere are files that will fail, pipes are named.
  @Test func foldersInFolders() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/inner/deep", withIntermediateDirectories: true)
      try Data([1]).write(to: URL(fileURLWithPath: folder + "/inner/deep/x.jpg"))
      symlink("..", folder + "/inner/around")
      symlink("/nowhere/y.jpg", folder + "/broken.jpg")
      mkfifo(folder + "/pipe", 0o600)
      let listing = try ImageFiles.list(folder, recursive: true)
      #expect(listing.files == ["/broken.jpg", "/inner/deep/x.jpg"].map { folder + $0 })
      #expect(listing.notes == ["\(folder)/pipe: left out: a named pipe, not a regular file"])
      let reason = "No such file or directory: a link to /nowhere/y.jpg"
      #expect(throws: ImageError.unreadable(path: folder + "/broken.jpg", reason: reason)) {
        try RGBImage(contentsOf: folder + "/broken.jpg")
      }
    }
  }
}

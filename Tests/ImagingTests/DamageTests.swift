internal import Foundation
import Synchronization
import Support
import TestSupport
import Testing

@testable import Imaging

/// Files with something wrong, whose pixels are all there or in part.
struct DamageTests {
  private let jpeg = "decode/jpeg-baseline.jpg"

  private func reading(_ bytes: [UInt8], lenient: Bool = false) throws -> ImageReader.Reading {
    var reader = ImageReader()
    reader.isLenient = lenient
    return try bytes.withUnsafeBytes { try reader.whole($0, name: "x") }
  }

  /// The picture is the whole one, and the warning says so much.
  private func expectWhole(_ bytes: [UInt8], of name: String, warning: String) throws {
    let whole = try reading(try FixtureFiles.bytes(name))
    #expect(whole.warning == nil)
    let found = try reading(bytes)
    #expect(found.image == whole.image)
    #expect(found.warning == "x: read although it is damaged: " + warning)
  }

  @Test(arguments: ["jpeg-baseline.jpg", "jpeg-progressive.jpg", "jpeg-restarts.jpg", "jpeg-cmyk.jpg"])
  func whateverFollowsAJPEG(name: String) throws {
    let name = "decode/" + name
    let bytes = try FixtureFiles.bytes(name)
    let open = Array(bytes.dropLast(2))
    try expectWhole(open, of: name, warning: "the end marker is missing")
    try expectWhole(open + [0xFF, 0x02, 9, 9], of: name, warning: "unknown marker 0x02 after the picture")
    try expectWhole(
      open + bytes, of: name, warning: "the end marker is missing, and another picture follows")
    try expectWhole(
      bytes + bytes, of: name, warning: "\(bytes.count) bytes after the picture's end are left out")
  }

  /// A restart marker of another number, and one that is not there.
  @Test func restartMarkers() throws {
    let bytes = try FixtureFiles.bytes("decode/jpeg-restarts.jpg")
    let marker = try #require(
      bytes.indices.dropLast().first { bytes[$0] == 0xFF && (0xD0...0xD7).contains(bytes[$0 + 1]) })
    var renumbered = bytes
    renumbered[marker + 1] ^= 4
    #expect(try reading(renumbered).warning != nil)
    let cut = Array(bytes[..<marker])
    guard case .cutShort = #expect(throws: ImageError.self, performing: { try reading(cut) }) else {
      Issue.record("a file that ends at a restart marker is whole")
      return
    }
  }

  @Test(arguments: ["JPEG", "PNG"]) func whatIsThereIsTakenWhenAsked(format: String) throws {
    let png = try FixtureFiles.bytes("resize/160x120.png")
    let bytes =
      format == "PNG" ? png : try #require(try RGBImage(decoding: png, name: "it").jpeg(quality: 90))
    let whole = try reading(bytes).image
    let cut = Array(bytes.dropLast(bytes.count / 4))
    guard
      case .cutShort(_, _, let rows, let all) = #expect(
        throws: ImageError.self, performing: { try reading(cut) })
    else {
      Issue.record("not cut short")
      return
    }
    #expect(rows > 0 && rows < all && all == whole.height)
    let part = try reading(cut, lenient: true)
    #expect(part.warning?.hasPrefix("x: cut short: \(rows) of \(all) rows (") == true)
    #expect(part.image.size == whole.size)
    // A row of a JPEG's last blocks is smoothed with the one below it.
    let sure = max(1, rows - 1) * whole.width * 3
    #expect(part.image.pixels.prefix(sure) == whole.pixels.prefix(sure))
    #expect(part.image.pixels.suffix(3) == [128, 128, 128])
  }

  /// Scans that are missing leave a progressive picture coarse.
  @Test func missingScansAreMissed() throws {
    let bytes = try FixtureFiles.bytes("decode/jpeg-progressive.jpg")
    let scans = bytes.indices.dropLast().filter { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA }
    #expect(scans.count > 3)
    let tables = try #require(bytes[..<scans[scans.count - 1]].lastRange(of: [0xFF, 0xC4])).lowerBound
    #expect(throws: ImageError.self) { try reading(Array(bytes[..<tables])) }
    #expect(
      try reading(Array(bytes[..<tables]), lenient: true).warning?.contains("between its scans") == true)
  }

  @Test func whateverFollowsThePixelsOfAPNG() throws {
    let name = "decode/png-rgb.png"
    let bytes = try FixtureFiles.bytes(name)
    let end = bytes.count - 12
    try expectWhole(Array(bytes[..<end]), of: name, warning: "the file ends early")
    try expectWhole(
      bytes + [1, 2, 3], of: name, warning: "3 bytes after the picture's end are left out")
    // Text with a wrong checksum is none of the picture's business.
    var text = PictureFiles.chunk("tEXt", Array("k\0v".utf8))
    text[text.count - 1] ^= 1
    let found = try reading(Array(bytes[..<33] + text + bytes[33...]))
    #expect(try found.warning == nil && found.image == reading(bytes).image)
    // The pixels' checksum is.
    var wrong = bytes
    wrong[end - 1] ^= 1
    #expect(throws: ImageError.self) { try reading(wrong) }
  }
}

struct ImageReaderTests {
  /// Turning, cropping, mirroring and resizing as rows come gives what they give one after the other, bit for bit.
  @Test(arguments: 1...8) func rowsAsTheyCome(orientation: Int) throws {
    let path = FixtureFiles.folder + "decode/jpeg-orientation-\(orientation).jpg"
    let image = try RGBImage(contentsOf: path)
    let small = try Preprocessing(
      width: 9, height: 7, resize: .shortSideThenCenterCrop(shortSide: 10), channelOrder: .rgb, scale: .unit,
      mean: [0, 0, 0], standardDeviation: [1, 1, 1])
    for preprocessing in [Preprocessing.caffe, .torchvision, small] {
      for view in (0..<6).map({ Augmentation($0, seed: 3) }) {
        let expected = preprocessing.fitted(view(image, number: 5))
        let found = try ImageReader().fitted(contentsOf: path, to: preprocessing) { view($0, number: 5) }
        #expect(found.image == expected, "view \(view.index)")
      }
    }
    #expect(try ImageReader().thumbnail(contentsOf: path, side: 13) == image.thumbnail(side: 13))
  }

  @Test func theLimitIsAnOption() throws {
    var reader = ImageReader()
    reader.maximumPixels = 35 * 27 - 1
    let path = FixtureFiles.folder + "decode/jpeg-baseline.jpg"
    let message = #expect(throws: ImageError.self) { try reader.image(contentsOf: path) }?.description
    #expect(message?.contains("944 in all (--max-pixels), found: 35 x 27 pixels") == true)
    reader.maximumPixels += 1
    #expect(throws: Never.self) { try reader.image(contentsOf: path) }
  }

  /// No more memory than there is; one that alone takes more waits until it is alone; all come to an end.
  @Test func theBudgetIsShared() {
    let budget = MemoryBudget(total: 10)
    let usage = Usage()
    let threads = DispatchGroup()
    for first in 0..<6 {
      threads.enter()
      Thread {
        for number in first..<first + 8 {
          try? budget.with(1, for: .reading) { () throws(ImageError) in
            try budget.with(number % 8 == 0 ? 25 : 1 + number % 4, for: .decoding) { () throws(ImageError) in
              usage.note(number % 8 == 0 ? 25 : 1 + number % 4)
            }
          }
        }
        threads.leave()
      }.start()
    }
    #expect(threads.wait(timeout: .now() + 20) == .success)
    #expect(usage.state.withLock { $0.now == 0 && $0.most <= 10 && $0.alone })
  }

  /// What is in use at once, and whether what is more than all was alone.
  private final class Usage: Sendable {
    let state = Mutex((now: 0, most: 0, alone: true))

    func note(_ bytes: Int) {
      state.withLock {
        $0.now += bytes
        if $0.now <= 25, bytes < 25 { $0.most = max($0.most, $0.now) }
        if $0.now >= 25, $0.now != 25 { $0.alone = false }
      }
      usleep(300)
      state.withLock { $0.now -= bytes }
    }
  }
}

struct FileNameTests {
  @Test func everyNameComesBack() {
    let names: [[UInt8]] = [
      Array("caf\u{E9}.jpg".utf8), Array("cafe\u{301}.jpg".utf8), [0x62, 0xFF, 0xFE, 0x2E], [0xE9],
      [0xF0, 0x9F, 0x98],
      [0xC0, 0x80], [0xED, 0xA0, 0x80], Array("\u{10FF80}\u{10FFFF}".utf8), Array("\u{1F600}".utf8), [],
      Array(0x80...0xFF), [0x0D, 0x0A],
    ]
    for name in names { #expect(FileName.bytes(FileName.text(name)) == name, "\(name)") }
    #expect(FileName.text([0x61, 0xFF]) == "a\u{10FFFF}")
  }

  @Test func terminalsAreNotObeyed() {
    let text = "a\u{1B}[31m\u{202E}\u{9B}\u{7F}é\u{10FFFE}"
    #expect(text.printable() == "a\\u{1B}[31m\\u{202E}\\u{9B}\\u{7F}é\\xFE")
    #expect("plain é".printable() == "plain é")
  }
}

import Foundation
import TestSupport
import Testing

/// Photos that want too much, that are damaged, and things that are no photos, as the program meets them.
@Suite struct PhotoFileTests {
  /// All in an address space of 1.5 GB, where a picture held whole would not fit.
  @Test func hugePicturesTakeLittleMemory() throws {
    try Workplace.with { place in
      let black = Data(PictureFiles.blackPNG(width: 11585, height: 11585, orientation: 6))
      for number in 1...16 { try place.file("black/\(number).png", black) }
      #expect(black.count < 20_000)
      let progressive = Data(PictureFiles.greyJPEG(width: 11585, height: 8000, progressive: true))
      for number in 1...4 { try place.file("progressive/\(number).jpg", progressive) }
      try place.file(
        "baseline.jpg", Data(PictureFiles.greyJPEG(width: 20000, height: 10000, progressive: false)))
      for (paths, count) in [(["black"], 16), (["progressive", "baseline.jpg"], 5)] {
        let outcome = try place.limited(
          ["caption"] + paths + ["--model", place.model, "--threads", "8"], memory: 1_500_000)
        #expect(outcome.status == 0 && outcome.lines.count == count, "\(outcome.errors)")
      }
    }
  }

  /// What alone would take more than decodes may is refused, and says so.
  @Test func coefficientsCount() throws {
    try Workplace.with { place in
      let bomb = Data(PictureFiles.greyJPEG(width: 11585, height: 11585, progressive: true))
      #expect(bomb.count < 900_000)
      for number in 1...4 { try place.file("bombs/\(number).jpg", bomb) }
      let outcome = try place.limited(
        ["caption", "bombs", "--model", place.model, "--threads", "4"], memory: 1_000_000)
      #expect(outcome.status == 1 && outcome.complaints.count == 5)
      #expect(
        outcome.errors.contains("expected a picture that takes at most 640 MiB to decode, found: 769 MiB"))
    }
  }

  @Test func textChunksAreNotInflated() throws {
    try Workplace.with { place in
      let bomb = PictureFiles.blackPNG(width: 40, height: 30, texts: (1_100, 7_000_000))
      try place.file("bomb.png", Data(bomb))
      let start = ContinuousClock.now
      let outcome = try place.limited(
        ["caption", "bomb.png", "--model", place.model, "--threads", "2"], memory: 1_000_000)
      #expect(outcome.status == 0 && outcome.complaints.isEmpty)
      // Inflated they are 7.7 GB: the better part of a minute.
      #expect(ContinuousClock.now - start < .seconds(10 * Sanitizer.slowness))
    }
  }

  @Test func maximumPixels() throws {
    try Workplace.with { place in
      let photo = try place.photo("decode/png-rgb.png", as: "a.png")
      let outcome = try place.run("caption", photo, "--model", place.model, "--max-pixels", "10")
      #expect(outcome.status == 1 && outcome.errors.contains("10 in all (--max-pixels)"))
      #expect(try place.run("caption", photo, "--max-pixels", "0").status == 64)
    }
  }

  @Test func damagedPhotos() throws {
    try Workplace.with { place in
      let jpeg = try Data(contentsOf: URL(fileURLWithPath: photo("decode/jpeg-baseline.jpg")))
      try place.file("open.jpg", jpeg.dropLast(2))
      let open = try place.run("caption", "open.jpg", "--model", place.model)
      #expect(open.status == 0 && open.lines.count == 1)
      #expect(
        open.complaints == [
          "captioner: open.jpg: read although it is damaged: the end marker is missing"
        ])
      try place.file("cut.jpg", jpeg.dropLast(100))
      for command in [["caption", "cut.jpg"], ["score", "cut.jpg", "a dog"]] {
        let refused = try place.start(command + ["--model", place.model]).outcome()
        #expect(
          refused.status == 1 && refused.output == "" && refused.errors.contains("16 of 27 rows (59 %)"))
        let taken = try place.start(command + ["--model", place.model, "--lenient"]).outcome()
        #expect(taken.status == 0 && taken.output != "" && taken.errors.contains("16 of 27 rows (59 %)"))
      }
      let features = ["features", "cut.jpg", "--encoder", place.model, "--output", "f", "--tap", "map2x2"]
      #expect(try place.start(features + ["--lenient"]).outcome().status == 0)
    }
  }

  /// Only the beginning of an endless input is read; a shell's `<(…)` is a file; what else is no file is named.
  @Test func pipesAndDevices() throws {
    try Workplace.with { place in
      let endless = try place.run("caption", "-", "--model", place.model, input: "/dev/zero")
      #expect(endless.status == 1 && endless.errors.contains("found unknown data"))
      let photo = try place.photo("decode/jpeg-444.jpg", as: "a.jpg")
      let plain = try place.run("caption", photo, "--model", place.model)
      let shell = try CaptionerProcess(
        ["caption", "/dev/stdin", "--model", place.model], in: place.folder, shell: "cat a.jpg | \"$@\""
      ).outcome()
      #expect(shell.status == 0 && shell.output == plain.output, "\(shell.errors)")
      mkfifo(place.folder + "/pipe", 0o600)
      for (path, kind) in [
        ("pipe", "a named pipe"), ("/dev/zero", "a device"), ("https://example.org/a.jpg", "curl -L"),
      ] {
        let outcome = try place.run("caption", path, "--model", place.model)
        #expect(outcome.status == 1 && outcome.complaints.count == 1 && outcome.errors.contains(kind))
      }
    }
  }

  @Test func namesAreBytesAndNotObeyed() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "d/a\u{1B}[31mb.jpg")
      let latin: [CChar] = Array("/d/caf".utf8CString.dropLast()) + [CChar(bitPattern: 0xE9), 0]
      let target = Array(place.folder.utf8CString.dropLast()) + latin
      #expect(rename(try place.photo("decode/jpeg-444.jpg", as: "d/latin.jpg"), target) == 0)
      let outcome = try CaptionerProcess(
        ["caption", "--model", place.model], in: place.folder, shell: "\"$@\" d/caf* d/a*"
      ).outcome()
      #expect(outcome.status == 0 && outcome.complaints.isEmpty, "\(outcome.errors)")
      let lines = outcome.output.split(separator: "\n")
      #expect(lines[0].hasPrefix("d/caf\\xE9: ") && lines[1].hasPrefix("d/a\\u{1B}[31mb.jpg: "))
      let json = try place.run("caption", "d", "--model", place.model, "--format", "json")
      #expect(try PrintedImage.lines(json).map(\.image) == ["d/a\u{1B}[31mb.jpg", "d/caf\u{10FFE9}"])
      let missing = try place.run("caption", "\u{1B}[2J", "--model", place.model)
      #expect(missing.status == 1 && !missing.errors.contains("\u{1B}"))
    }
  }

  @Test func foldersInFolders() throws {
    try Workplace.with { place in
      try place.photo("decode/jpeg-444.jpg", as: "d/e/f/a.jpg")
      let outside = try place.run("caption", "d", "--model", place.model)
      #expect(outside.status == 1 && outside.errors.contains("--recursive"))
      let inside = try place.run("caption", "d", "--recursive", "--model", place.model)
      #expect(inside.status == 0 && inside.output.hasPrefix("d/e/f/a.jpg: "))
      symlink("/nowhere", place.folder + "/d/e/f/b.jpg")
      let broken = try place.run("caption", "d", "--recursive", "--model", place.model)
      #expect(broken.status == 1 && broken.lines.count == 1 && broken.errors.contains("a link to /nowhere"))
    }
  }
}

extension Workplace {
  /// Runs a command in `memory` KiB of address space; in any, under a sanitizer.
  fileprivate func limited(_ arguments: [String], memory: Int) throws -> CaptionerProcess.Outcome {
    let limit = Sanitizer.isOn ? "" : "ulimit -v \(memory); "
    return try CaptionerProcess(arguments, in: folder, shell: limit + "exec \"$@\"").outcome()
  }
}

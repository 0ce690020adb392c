import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct BadInputTests {
  /// A folder of files that are no images, and two good ones: a line for each, whatever it is.
  @Test func badImagesCostOnlyThemselves() throws {
    try Workplace.with { place in
      let jpeg = try Data(contentsOf: URL(fileURLWithPath: photo("decode/jpeg-baseline.jpg")))
      let png = try Data(contentsOf: URL(fileURLWithPath: photo("resize/160x120.png")))
      var twelveBits = jpeg
      let frame = try #require(twelveBits.firstRange(of: Data([0xFF, 0xC0])))
      twelveBits[frame.upperBound + 2] = 12
      var flipped = png
      flipped[png.count / 2] ^= 0x10
      let bad: [(String, Data, String)] = [
        ("cut.jpg", jpeg.prefix(jpeg.count / 2), "a whole JPEG image"),
        ("cut.png", png.dropLast(20), "a whole PNG image"),
        ("cut8.png", png.prefix(8), "a whole PNG image"), ("cut2.jpg", jpeg.prefix(2), "a whole JPEG image"),
        ("empty.jpg", Data(), "an empty file"), ("flipped.png", flipped, "a whole PNG image"),
        ("text.jpg", Data("hello\n".utf8), "found text"), ("movie.png", Data("%PDF".utf8), "a PDF document"),
        ("noise.jpg", Data([0, 1, 2, 0xFE]), "unknown data"), ("twelve.jpg", twelveBits, "12 bits a sample"),
      ]
      for (name, data, _) in bad { try place.file("photos/" + name, data) }
      try place.photo("decode/png-rgb.png", as: "photos/a mislabelled.jpg")
      try place.photo("decode/jpeg-1x1.jpg", as: "photos/z.png")
      var failing = bad.map { ("photos/" + $0.0, $0.2) }
      let isRoot = getuid() == 0
      if !isRoot {
        try place.photo("decode/png-rgb.png", as: "photos/locked.png")
        chmod(place.folder + "/photos/locked.png", 0)
        failing.append(("photos/locked.png", "Permission denied"))
      }
      mkfifo(place.folder + "/pipe", 0o600)
      symlink("nowhere", place.folder + "/dangling.jpg")
      failing += [
        ("pipe", "not a regular file"), ("dangling.jpg", "No such file or directory"),
        ("none", "No such file"),
      ]

      let paths = ["photos", "pipe", "dangling.jpg", "none"]
      let outcome = try place.start(["caption"] + paths + ["--model", place.model, "--format", "json"])
        .outcome()
      #expect(outcome.status == 1)
      let images = try PrintedImage.lines(outcome)
      #expect(images.count == failing.count + 2)
      #expect(
        images.filter { $0.captions != nil }.map(\.image) == ["photos/a mislabelled.jpg", "photos/z.png"])
      for (name, reason) in failing {
        let error = try #require(images.first { $0.image == name }?.error, "\(name)")
        #expect(error.hasPrefix(name + ": ") && error.contains(reason), "\(error)")
      }
      let complaints = outcome.complaints.dropLast()
      #expect(Set(complaints) == Set(images.compactMap { $0.error.map { "captioner: " + $0 } }))
      #expect(complaints.count == failing.count)
      #expect(outcome.complaints.last == "2 captioned, \(failing.count) failed")

      let text = try place.start(["caption"] + paths + ["--model", place.model]).outcome()
      #expect(text.status == 1 && text.lines.count == 2 && text.errors == outcome.errors)
    }
  }

  @Test func foldersThatCannotBeRead() throws {
    try Workplace.with { place in
      try place.makeFolder("empty")
      let empty = try place.run("caption", "empty", "--model", place.model)
      #expect(empty.status == 1 && empty.output == "")
      #expect(empty.complaints == ["captioner: empty: can't read: a folder without files"])
      if getuid() != 0 {
        chmod(try place.makeFolder("locked"), 0)
        let locked = try place.run("caption", "locked", "--model", place.model)
        #expect(locked.status == 1)
        #expect(locked.complaints == ["captioner: locked: can't read: Permission denied"])
      }
    }
  }

  @Test func modelsThatAreNone() throws {
    try Workplace.with { place in
      let whole = try Data(contentsOf: URL(fileURLWithPath: place.model))
      let photo = try place.photo("decode/png-rgb.png", as: "photo.png")
      mkfifo(place.folder + "/pipe", 0o600)
      var foreign = TinyNetwork.metadata
      foreign["format"] = "pt"
      try TinyNetwork.writeModel(to: place.folder + "/foreign", metadata: foreign)
      try TinyNetwork.writeModel(to: place.folder + "/bare", metadata: [:])
      var tensors = TinyNetwork.tensors()
      tensors["decoder.lstm.bias"] = Tensor(repeating: .nan, [32])
      try TinyNetwork.writeModel(to: place.folder + "/broken", tensors: tensors)
      try place.file("cut", whole.dropLast(1))
      try place.file("short", whole.prefix(100))
      try place.file("empty", Data())
      try place.file("text", "a model, honestly")
      try place.file("deep", Data([64, 13, 3, 0, 0, 0, 0, 0] + [UInt8](repeating: 0x5B, count: 200_000)))
      try place.file("huge", Data([UInt8](repeating: 0xFF, count: 100)))
      for name in [
        "foreign", "bare", "broken", "cut", "short", "empty", "text", "deep", "huge", "pipe", "none", ".",
        "photo.png",
      ] {
        for arguments in [["caption", photo], ["score", photo, "a dog"]] {
          let outcome = try place.start(arguments + ["--model", name]).outcome()
          #expect(outcome.status == 1 && outcome.output == "", "\(name)")
          #expect(
            outcome.complaints.count == 1 && outcome.errors.hasPrefix("captioner: \(name): "),
            "\(outcome.errors)")
        }
      }
      for name in ["cut", "short", "empty", "text", "deep", "huge", "pipe", "none", "."] {
        let outcome = try place.run("inspect", name)
        #expect(outcome.status == 1 && outcome.complaints.count == 1 && outcome.output == "", "\(name)")
      }
    }
  }

  @Test(arguments: [
    ("", "found an empty file"), ("{", "not valid JSON"), ("nonsense", "found text that begins with"),
    ("[]", "expected captions, found none"), ("[1]", "[0]: expected an object"),
    ("{\"images\": []}", "annotations is missing"),
    (#"{"images": [{"id": 1}], "annotations": []}"#, "images[0].file_name is missing"),
    (#"{"images": [{"id": {}, "file_name": "x"}], "annotations": []}"#, "images[0].id: expected an integer"),
    (
      #"{"images": [{"id": 1e400, "file_name": "x"}], "annotations": []}"#,
      "images[0].id: expected an integer"
    ),
    (#"{"images": [{"id": 1.5, "file_name": "x"}], "annotations": []}"#, "images[0].id: expected an integer"),
    (
      #"{"images": [{"id": 99999999999999999999, "file_name": "x"}], "annotations": []}"#,
      "images[0].id: expected"
    ),
    (#"{"images": [], "annotations": [{"image_id": -5, "caption": "a"}]}"#, "no image has id -5"),
    (
      #"{"images": [{"id": 1, "file_name": "../x"}], "annotations": []}"#,
      "expected a file in the folder of images"
    ),
    (
      #"{"images": [{"id": 1, "file_name": "/x"}], "annotations": []}"#,
      "expected a file in the folder of images"
    ),
    (
      #"{"images": [{"id": 1, "file_name": ""}], "annotations": []}"#,
      "expected a file in the folder of images"
    ),
    (
      #"{"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}], "annotations": []}"#,
      "id 1 comes twice"
    ),
    (#"{"images": [{"id": 1, "file_name": "a"}], "annotations": []}"#, "expected captions, found none"),
    (
      #"{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"image_id": 1, "caption": null}]}"#,
      "annotations[0].caption: expected a string"
    ),
    (String(repeating: "[", count: 200_000), "not valid JSON"), ("\u{FEFF}nul", "text that begins with"),
  ]) func captionFilesThatAreNone(json: String, reason: String) throws {
    try Workplace.with { place in
      try place.makeFolder("photos")
      try place.file("captions.json", json)
      try TinyNetwork.writeConvolutions(to: place.folder + "/vgg.safetensors")
      var commands = [
        [
          "evaluate", "--captions", "captions.json", "--images", "photos", "--model", place.model,
          "--results", "r.json",
        ],
        [
          "train", "--captions", "captions.json", "--images", "photos", "--validation-captions",
          "captions.json",
          "--encoder", "vgg.safetensors", "--output", "run",
        ],
      ]
      if reason != "expected captions, found none" {
        commands.append(["vocabulary", "--captions", "captions.json"])
      }
      for command in commands {
        let outcome = try place.start(command).outcome()
        #expect(outcome.status == 1 && outcome.output == "")
        let last = try #require(outcome.complaints.last)
        #expect(last.hasPrefix("captioner: captions.json: ") && last.contains(reason), "\(outcome.errors)")
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: place.folder).sorted() == [
          "captions.json", "model.safetensors", "photos", "vgg.safetensors",
        ])
    }
  }

  /// A tensor without scalars whose channels no number can count, NaN in the weights, FC layers that are none.
  @Test func weightsThatAreNone() throws {
    try Workplace.with { place in
      try place.photo("decode/png-rgb.png", as: "photo.png")
      func features(_ encoder: String) throws -> CaptionerProcess.Outcome {
        let outcome = try place.run("features", "photo.png", "--encoder", encoder, "--output", "f")
        #expect(
          outcome.status == 1 && outcome.complaints.count == 1
            && outcome.errors.hasPrefix("captioner: \(encoder): "))
        return outcome
      }
      let header =
        #"{"features.0.weight": {"dtype": "F32", "shape": [1152921504606846976, 0, 3, 3], "data_offsets": [0, 0]}, "#
        + #""classifier.0.weight": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]}}"#
      var huge = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
      huge.append(Data(header.utf8) + [0, 0, 0, 0])
      try place.file("huge", huge)
      _ = try features("huge")
      var tensors = TinyNetwork.convolutions()
      tensors["features.3.bias"]?[0] = .nan
      try SafetensorsWriter.write(
        tensors.map { .init(name: $0, tensor: $1) }, metadata: [:], to: place.folder + "/nan")
      #expect(try features("nan").errors.contains("not finite"))
      tensors = TinyNetwork.convolutions()
      tensors["features.1.weight"] = Tensor(zeros: [4])
      try SafetensorsWriter.write(
        tensors.map { .init(name: $0, tensor: $1) }, metadata: [:], to: place.folder + "/norm")
      // As of a network with batch normalisation, of which the rest is missing.
      #expect(try features("norm").errors.contains("features.1.bias of shape [4]"))
      #expect(try features("none").errors.contains("No such file"))
    }
  }

  @Test func oddPhotos() throws {
    try Workplace.with { place in
      // The widest and the highest image that JPEG and we allow, and the smallest.
      for (name, width, height) in [("wide.png", 65500, 1), ("high.png", 1, 65500)] {
        try place.file(name, greyPNG(width: width, height: height))
      }
      try place.photo("decode/jpeg-1x1.jpg", as: "dot.jpg")
      symlink("dot.jpg", place.folder + "/link")
      var crop = TinyNetwork.metadata
      crop["preprocessing"] = crop["preprocessing"]?.replacingOccurrences(
        of: #""stretch""#, with: #""shortSideThenCenterCrop", "shortSide": 65500"#)
      try TinyNetwork.writeModel(to: place.folder + "/crop", metadata: crop)
      for model in [place.model, "crop"] {
        let outcome = try place.run("caption", "wide.png", "high.png", "dot.jpg", "link", "--model", model)
        #expect(outcome.status == 0 && outcome.lines.count == 4, "\(outcome.errors)")
      }
    }
  }
}

/// A grey PNG without compression.
private func greyPNG(width: Int, height: Int) -> Data {
  func big(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
  func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    var crc: UInt32 = .max
    for byte in body {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return big(content.count) + body + big(Int(~crc))
  }
  let row = [0] + (0..<width).map { UInt8(truncatingIfNeeded: $0) }
  let raw = (0..<height).flatMap { _ in row }
  var (stream, a, b): ([UInt8], Int, Int) = ([0x78, 0x01], 1, 0)
  for start in stride(from: 0, to: raw.count, by: 65535) {
    let block = raw[start..<min(raw.count, start + 65535)]
    let (low, high) = (UInt8(block.count & 255), UInt8(block.count >> 8))
    stream += [start + 65535 >= raw.count ? 1 : 0, low, high, ~low, ~high] + block
  }
  for byte in raw { (a, b) = ((a + Int(byte)) % 65521, (b + a + Int(byte)) % 65521) }
  return Data(
    [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + chunk("IHDR", big(width) + big(height) + [8, 0, 0, 0, 0])
      + chunk("IDAT", stream + big(b << 16 | a)) + chunk("IEND", []))
}

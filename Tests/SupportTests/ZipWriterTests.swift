import Support
import TestSupport
import Testing

@Suite struct ZipWriterTests {
  /// Read again by our own reader; `numpy.load` reads such archives in `tools/golden/onnx_check.py`.
  @Test func filesComeBack() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.zip"
      let files: [(name: String, bytes: [UInt8])] = [
        ("a.npy", [1, 2, 3]), ("folder/ü.txt", Array(repeating: 7, count: 100_000)), ("empty", []),
      ]
      try AtomicFile.write(to: path) { file in
        var archive = ZipWriter(path: path)
        for (name, bytes) in files {
          try bytes.withUnsafeBytes { bytes in
            let half = bytes.count / 2
            let pieces = [bytes[..<half], bytes[half...]].map { UnsafeRawBufferPointer(rebasing: $0) }
            try archive.add(name, pieces, to: &file)
          }
        }
        try archive.finish(&file)
      }
      let archive = try ZipArchive(path: path)
      #expect(archive.names == Set(files.map(\.name)))
      for (name, bytes) in files { #expect(try archive.bytes(of: name, limit: 1 << 20) == bytes, "\(name)") }
    }
  }
}

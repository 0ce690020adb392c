import WeightFiles

extension ForeignReader {
  /// A file of HDF5, every dataset read, whole and a row.
  static let hdf5 = ForeignReader(
    name: "hdf5", longest: 12288,
    words: [
      "TREE", "SNOD", "HEAP", "GCOL", "OHDR", "OCHK", "FRHP", "FHDB", "FHIB", "BTHD", "BTLF", "BTIN", "FAHD",
      "FADB", "EAHD", "\u{89}HDF\r\n\u{1A}\n",
    ],
    seeds: { [HDF5Seed.contiguous] },
    read: { bytes, scratch in
      scratch.hold(bytes)
      guard let file = outcome({ try HDF5File(path: scratch.path) }).value else { return }
      var left = 1 << 22
      for dataset in file.datasets {
        guard dataset.isNumeric else {
          _ = outcome { try dataset.texts() }.value?.count
          continue
        }
        // What deflate may make of a small file's chunks, many times over, takes long.
        guard dataset.shape.count <= left, let all = outcome({ try dataset.read() }).value else { continue }
        left -= all.count
        guard all.shape == dataset.shape else { throw Wrong("another shape") }
        let rows = dataset.rowCount
        guard rows > 0 else { continue }
        let row = try dataset.read(rows: rows - 1..<rows)
        let last = all.scalars.suffix(row.count).map(\.bitPattern)
        guard row.scalars.map(\.bitPattern) == last else { throw Wrong("a row is another than in the whole") }
      }
    })
}

/// The smallest file: a group with a dataset of six floats.
private enum HDF5Seed {
  static let contiguous: [UInt8] = {
    let data = 256
    let space = message(0x01, [2, 2, 0, 1] + long(2) + long(3))
    let type = message(0x03, [0x11, 0x20, 0x1F, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0])
    let layout = message(0x08, [3, 1] + long(data) + long(24))
    let root = header(message(0x06, [1, 0, 1, 0x61] + long(96)))
    var bytes: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 2, 8, 8, 0]
    bytes += long(0) + long(-1) + long(data + 24) + long(48) + [0, 0, 0, 0]
    bytes += root
    bytes += [UInt8](repeating: 0, count: 96 - bytes.count) + header(space + type + layout)
    bytes += [UInt8](repeating: 0, count: data - bytes.count)
    for _ in 0..<6 { bytes += [0, 0, 0x80, 0x3F] }
    return bytes
  }()

  private static func long(_ number: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
  }

  private static func message(_ kind: UInt8, _ content: [UInt8]) -> [UInt8] {
    [kind, UInt8(content.count), 0, 0] + content
  }

  private static func header(_ messages: [UInt8]) -> [UInt8] {
    Array("OHDR".utf8) + [2, 0, UInt8(messages.count)] + messages + [0, 0, 0, 0]
  }
}

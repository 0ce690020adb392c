/// The data sets of IPTC's Information Interchange Model (IIM 4), as photos hold them. Those that are not changed stay byte
/// for byte, unless the character set has to become UTF-8.
struct IPTCRecord: Equatable {
  /// One of them: record and number, 2:120 for the caption, and its value.
  struct DataSet: Equatable {
    let record, number: UInt8
    var value: [UInt8]
  }

  private(set) var dataSets: [DataSet] = []

  /// The escape sequence that calls for UTF-8, the value of 1:90.
  private static let utf8: [UInt8] = [0x1B, 0x25, 0x47]
  /// The longest caption, in bytes.
  static let longestCaption = 2000

  init() {}

  /// Reads data sets; zeros may follow them.
  /// - Throws: `MetadataError`
  init(_ bytes: [UInt8]) throws(MetadataError) {
    func refuse(_ place: Int, _ reason: String) -> MetadataError {
      MetadataError("IPTC", "byte \(place): \(reason)")
    }
    var place = 0
    while place < bytes.count {
      if bytes[place] == 0, bytes[place...].allSatisfy({ $0 == 0 }) { break }
      guard bytes[place] == 0x1C else {
        throw refuse(place, "expected a data set, which begins with 28, found \(bytes[place])")
      }
      guard place + 5 <= bytes.count else { throw refuse(place, "expected a data set, found its beginning") }
      var count = Int(bytes[place + 3]) << 8 | Int(bytes[place + 4])
      var start = place + 5
      if count & 0x8000 != 0 {
        // Of a large data set this is the number of bytes that tell how large.
        let digits = count & 0x7FFF
        guard digits <= 4, start + digits <= bytes.count else {
          throw refuse(place, "its size makes no sense")
        }
        count = bytes[start..<start + digits].reduce(0) { $0 << 8 | Int($1) }
        start += digits
      }
      guard count <= bytes.count - start else {
        throw refuse(place, "expected \(count) bytes, found \(bytes.count - start)")
      }
      dataSets.append(
        DataSet(
          record: bytes[place + 1], number: bytes[place + 2], value: Array(bytes[start..<start + count])))
      place = start + count
    }
  }

  /// All data sets.
  var bytes: [UInt8] {
    dataSets.flatMap { set -> [UInt8] in
      let size =
        set.value.count < 0x8000
        ? bigEndian(set.value.count, bytes: 2) : [0x80, 4] + bigEndian(set.value.count, bytes: 4)
      return [0x1C, set.record, set.number] + size + set.value
    }
  }

  /// 2:120, the caption; nil where there is none but blanks.
  var caption: String? {
    guard let value = dataSets.first(where: { $0.record == 2 && $0.number == 120 })?.value else { return nil }
    let text = Self.isUTF8(value) ? String(decoding: value, as: UTF8.self) : Self.western(value)
    return text.isBlank ? nil : text
  }

  /// Writes the caption, cut at `longestCaption` bytes, and that texts are UTF-8: those that are not become so.
  /// - Throws: `MetadataError` where they are in a character set that is neither UTF-8 nor Western.
  mutating func setCaption(_ text: String) throws(MetadataError) {
    try becomeUTF8()
    dataSets.removeAll { $0.record == 2 && $0.number == 120 }
    if !dataSets.contains(where: { $0.record == 2 && $0.number == 0 }) {
      insert(DataSet(record: 2, number: 0, value: [0, 4]))  // the version of the model, which must be there
    }
    var value: [UInt8] = []
    for scalar in text.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      if value.count + bytes.count > Self.longestCaption { break }
      value += bytes
    }
    insert(DataSet(record: 2, number: 120, value: value))
  }

  private mutating func becomeUTF8() throws(MetadataError) {
    if let marked = dataSets.first(where: { $0.record == 1 && $0.number == 90 }) {
      guard marked.value == Self.utf8 else {
        throw MetadataError("IPTC", "its texts are in a character set (1:90) other than UTF-8")
      }
      return
    }
    for place in dataSets.indices where dataSets[place].isText && !Self.isUTF8(dataSets[place].value) {
      dataSets[place].value = Array(Self.western(dataSets[place].value).utf8)
    }
    insert(DataSet(record: 1, number: 90, value: Self.utf8))
  }

  /// Before the first that belongs behind it: records come in order, and numbers of a record mostly do.
  private mutating func insert(_ set: DataSet) {
    let place = dataSets.firstIndex { ($0.record, $0.number) > (set.record, set.number) }
    dataSets.insert(set, at: place ?? dataSets.endIndex)
  }

  private static func isUTF8(_ bytes: [UInt8]) -> Bool {
    String(decoding: bytes, as: UTF8.self).utf8.elementsEqual(bytes)
  }

  /// ISO 8859-1, with the characters of Windows-1252 in the place of its controls.
  private static func western(_ bytes: [UInt8]) -> String {
    let windows = Array("€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ".unicodeScalars)
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append((0x80..<0xA0).contains(byte) ? windows[Int(byte) - 0x80] : .init(byte)) }
    return String(text)
  }
}

extension IPTCRecord.DataSet {
  /// Whether the value is text: of record 2, all but its version and the preview's bytes.
  fileprivate var isText: Bool { record == 2 && number != 0 && number != 125 && number < 200 }
}

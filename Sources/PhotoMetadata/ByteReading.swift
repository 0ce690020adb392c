extension RandomAccessCollection<UInt8> where Index == Int {
  /// The number of two bytes of a file from `place` on, the higher first.
  func big16(_ place: Int) -> Int { Int(self[place]) << 8 | Int(self[place + 1]) }

  /// The number of four bytes from `place` on, the highest first.
  func big32(_ place: Int) -> Int { big16(place) << 16 | big16(place + 2) }

  /// Whether these bytes lie at `place`.
  func holds(_ bytes: some Collection<UInt8>, at place: Int) -> Bool {
    place + bytes.count <= count && self[place..<place + bytes.count].elementsEqual(bytes)
  }
}

/// A number as bytes, the highest first.
func bigEndian(_ value: Int, bytes count: Int) -> [UInt8] {
  (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

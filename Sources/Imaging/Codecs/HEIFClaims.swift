/// How many pixels the coded streams of an HEIF file say that they have. What the file itself says may be less, and
/// decoders follow the streams: so these are looked at before any is decoded.
struct HEIFClaims {
  /// Of the largest frame.
  private(set) var largest = 0
  /// Of all frames of all items, those included that will not be decoded.
  private(set) var total = 0
  /// Bytes of the longest item's stream, which is put together from its parts.
  private(set) var longestStream = 0
  private let file: UnsafeRawBufferPointer
  private var items: [Item] = []
  /// What items may lie in, beside the file itself.
  private var inlineData: [Range<Int>] = []
  /// Bytes of streams that were looked at: items that overlap would be looked at again and again.
  private var looked = 0

  /// Where the parts of an item lie: from the file's start, or from that of the inline data.
  private struct Item {
    let isInline: Bool
    let parts: [(offset: Int, length: Int)]
  }

  init(_ file: UnsafeRawBufferPointer) {
    self.file = file
    visit(0..<file.count, depth: 0)
    for item in items where total < Int.max { add(item) }
  }

  // MARK: Boxes

  /// Looks at the boxes in a range, wherever they are: no reader can find one that was passed over.
  private mutating func visit(_ range: Range<Int>, depth: Int) {
    var start = range.lowerBound
    while let short = file.integer(at: start, size: 4), let kind = file.integer(at: start + 4, size: 4) {
      var (size, header) = (short, 8)
      if size == 1 {
        guard let long = file.integer(at: start + 8, size: 8) else { return }
        (size, header) = (long, 16)
      } else if size == 0 {
        size = range.upperBound - start
      }
      guard size >= header, size <= range.upperBound - start else { return }
      let body = start + header..<start + size
      switch kind {
      case Self.code("meta") where depth == 0: visit(body.dropFirst(4), depth: 1)
      case Self.code("iprp") where depth < 4, Self.code("ipco") where depth < 4:
        visit(body, depth: depth + 1)
      case Self.code("idat"): inlineData.append(body)
      case Self.code("iloc"): readLocations(body)
      case Self.code("hvcC"): readHEVCConfiguration(body)
      case Self.code("av1C"): count(av1: rebased(body.dropFirst(4)))
      default: break
      }
      start += size
    }
  }

  private static func code(_ name: StaticString) -> Int {
    name.withUTF8Buffer { $0.reduce(0) { $0 << 8 | Int($1) } }
  }

  private func rebased(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file[range])
  }

  /// The item locations: ISO 14496-12, 8.11.3.
  private mutating func readLocations(_ body: Range<Int>) {
    var at = body.lowerBound
    func next(_ size: Int) -> Int? {
      guard size > 0 else { return 0 }
      defer { at += size }
      return at <= body.upperBound - size ? file.integer(at: at, size: size) : nil
    }
    guard let version = next(1), next(3) != nil, let sizes = next(2),
      let count = next(version < 2 ? 2 : 4)
    else { return }
    let (offsetSize, lengthSize, baseSize, indexSize) = (
      sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, version == 0 ? 0 : sizes & 15
    )
    guard [offsetSize, lengthSize, baseSize, indexSize].allSatisfy({ [0, 4, 8].contains($0) }) else { return }
    for _ in 0..<count {
      guard next(version < 2 ? 2 : 4) != nil, let method = version == 0 ? 0 : next(2), next(2) != nil,
        let base = next(baseSize), let parts = next(2)
      else { return }
      var found: [(offset: Int, length: Int)] = []
      for _ in 0..<parts {
        guard next(indexSize) != nil, let offset = next(offsetSize), let length = next(lengthSize) else {
          return
        }
        found.append((offset: base &+ offset, length: length))
      }
      items.append(Item(isInline: method & 15 == 1, parts: found))
    }
  }

  // MARK: Streams

  private mutating func add(_ item: Item) {
    for place in item.isInline ? inlineData : [0..<file.count] {
      let ranges = item.parts.compactMap { part -> Range<Int>? in
        let start = place.lowerBound &+ part.offset
        let end = start &+ (part.length == 0 ? place.upperBound &- start : part.length)
        return place.lowerBound <= start && start <= end && end <= place.upperBound ? start..<end : nil
      }
      let length = ranges.reduce(0) { $0 &+ $1.count }
      longestStream = max(longestStream, length)
      looked = looked &+ length
      guard length <= 4 * file.count, looked <= 16 * file.count else { return total = Int.max }
      if ranges.count == 1 {
        count(stream: rebased(ranges[0]))
      } else {
        var stream: [UInt8] = []
        for range in ranges { stream += file[range] }
        stream.withUnsafeBytes { count(stream: $0) }
      }
    }
  }

  /// Counts the frames of an item, which may be of either kind: what is no stream of a kind counts for nothing, but by
  /// chance.
  private mutating func count(stream: UnsafeRawBufferPointer) {
    count(hevc: stream)
    count(av1: stream)
  }

  /// A size that frames have from here on.
  private mutating func note(_ size: (width: Int, height: Int)) {
    let pixels = size.width.multipliedReportingOverflow(by: size.height)
    largest = max(largest, pixels.overflow ? Int.max : pixels.partialValue)
  }

  private mutating func countFrame() {
    let sum = total.addingReportingOverflow(largest)
    total = sum.overflow ? Int.max : sum.partialValue
  }

  /// The parameter sets in a configuration: ISO 14496-15, 8.3.3.1.
  private mutating func readHEVCConfiguration(_ body: Range<Int>) {
    guard body.count > 22, let arrays = file.integer(at: body.lowerBound + 22, size: 1) else { return }
    var at = body.lowerBound + 23
    for _ in 0..<arrays {
      guard let units = file.integer(at: at + 1, size: 2) else { return }
      at += 3
      for _ in 0..<units {
        guard let length = file.integer(at: at, size: 2), at + 2 + length <= body.upperBound else { return }
        if let size = Self.size(ofHEVCUnit: rebased(at + 2..<at + 2 + length)) { note(size) }
        at += 2 + length
      }
    }
  }

  /// Units with their lengths before them.
  private mutating func count(hevc stream: UnsafeRawBufferPointer) {
    var at = 0
    while let length = stream.integer(at: at, size: 4), length > 0, length <= stream.count - at - 4 {
      let unit = UnsafeRawBufferPointer(rebasing: stream[at + 4..<at + 4 + length])
      if let size = Self.size(ofHEVCUnit: unit) { note(size) }
      // The first slice of a picture.
      if length > 2, unit[0] >> 1 & 63 < 32, unit[2] & 0x80 != 0 { countFrame() }
      at += 4 + length
    }
  }

  /// What a sequence parameter set says; nil for other units: H.265, 7.3.2.2.
  private static func size(ofHEVCUnit unit: UnsafeRawBufferPointer) -> (width: Int, height: Int)? {
    guard unit.count > 2, unit[0] >> 1 & 63 == 33 else { return nil }
    // The start holds the size; a zero byte pair is followed by a 3 that is none of the data's.
    var bytes: [UInt8] = []
    for byte in unit.dropFirst(2).prefix(256) where !(byte == 3 && bytes.suffix(2) == [0, 0]) {
      bytes.append(byte)
    }
    var bits = Bits(bytes)
    bits.skip(4)
    let layers = bits.number(3)
    bits.skip(1 + 96)
    let flags = (0..<layers).map { _ in (bits.number(1), bits.number(1)) }
    if layers > 0 { bits.skip(2 * (8 - layers)) }
    for (profile, level) in flags { bits.skip(88 * profile + 8 * level) }
    _ = bits.exponential()
    if bits.exponential() == 3 { bits.skip(1) }
    return (bits.exponential(), bits.exponential())
  }

  /// Open bitstream units: AV1, 5.3.
  private mutating func count(av1 stream: UnsafeRawBufferPointer) {
    var at = 0
    while at < stream.count, stream[at] & 0x80 == 0 {
      let (kind, isExtended, isSized) = (stream[at] >> 3 & 15, stream[at] & 4 != 0, stream[at] & 2 != 0)
      at += isExtended ? 2 : 1
      var length = stream.count - at
      if isSized {
        length = 0
        for place in 0..<8 {
          guard at < stream.count else { return }
          let byte = Int(stream[at])
          at += 1
          length |= (byte & 0x7F) << (7 * place)
          if byte < 0x80 { break }
        }
      }
      guard length >= 0, length <= stream.count - at else { return }
      if kind == 1 { note(Self.size(ofAV1Sequence: Array(stream[at..<at + length].prefix(256)))) }
      if kind == 3 || kind == 6 { countFrame() }  // a frame's header, or a frame
      at += length
    }
  }

  /// The most that a sequence header allows a frame: AV1, 5.5.1.
  private static func size(ofAV1Sequence bytes: [UInt8]) -> (width: Int, height: Int) {
    var bits = Bits(bytes)
    bits.skip(3 + 1)
    let isReduced = bits.number(1) == 1
    if isReduced {
      bits.skip(5)
    } else {
      skipOperatingPoints(&bits)
    }
    let (widthBits, heightBits) = (bits.number(4) + 1, bits.number(4) + 1)
    // A frame may have a size of its own in so many bits, unless the header is a still picture's.
    guard isReduced else { return (1 << widthBits, 1 << heightBits) }
    return (bits.number(widthBits) + 1, bits.number(heightBits) + 1)
  }

  private static func skipOperatingPoints(_ bits: inout Bits) {
    var delayBits: Int?
    if bits.number(1) == 1 {
      bits.skip(64)
      if bits.number(1) == 1 { _ = bits.exponential() }
      if bits.number(1) == 1 {
        delayBits = bits.number(5) + 1
        bits.skip(32 + 5 + 5)
      }
    }
    let hasDelays = bits.number(1) == 1
    for _ in 0...bits.number(5) {
      bits.skip(12)
      if bits.number(5) > 7 { bits.skip(1) }
      if let delayBits, bits.number(1) == 1 { bits.skip(2 * delayBits + 1) }
      if hasDelays, bits.number(1) == 1 { bits.skip(4) }
    }
  }
}

/// Numbers of so many bits, the highest first; zeros behind the end.
private struct Bits {
  private let bytes: [UInt8]
  private var at = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func skip(_ count: Int) { at += count }

  mutating func number(_ count: Int) -> Int {
    var value = 0
    for _ in 0..<count {
      let bit = at / 8 < bytes.count ? bytes[at / 8] >> UInt8(7 - at % 8) & 1 : 0
      value = value << 1 | Int(bit)
      at += 1
    }
    return value
  }

  /// As many zeros as bits follow a one.
  mutating func exponential() -> Int {
    var zeros = 0
    while zeros < 32, number(1) == 0 { zeros += 1 }
    return zeros == 32 ? 0 : (1 << zeros) - 1 + number(zeros)
  }
}

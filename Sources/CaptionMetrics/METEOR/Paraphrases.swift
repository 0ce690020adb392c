internal import Support

/// Those of METEOR's paraphrases that texts may have: the table of millions is read once, line by line, and what has a
/// word, or two words after each other, that no text has is left out.
struct Paraphrases {
  /// A phrase within a text.
  struct Occurrence {
    /// The phrase's number.
    let phrase: Int32
    let start, length: Int32
  }

  /// A trie over the words' numbers: a phrase is the number of the phrase without its last word, and that word. 0 is the
  /// phrase without words.
  private var next: [UInt64: Int32] = [:]
  /// Where each phrase's paraphrases begin in `others`; [phrases + 1].
  private var starts: [Int32] = []
  /// The numbers of the paraphrases, those of a phrase in the order of the file.
  private var others: [Int32] = []
  private var lengths: [Int32] = [0]

  /// How many phrases there are, with those that are the beginning of another only.
  var count: Int { lengths.count }

  /// The most paraphrases that are kept; the whole table of METEOR 1.5 has a third.
  static let limit = 1 << 24
  /// The most words of a phrase; METEOR's have 7.
  static let longest = 32

  /// Reads what `texts`, whose words have their numbers in `words`, may have.
  /// - Throws: `METEORDataError` for a file that can't be read or has another form.
  init(path: String, words: WordIndex, texts: some Sequence<[Int32]>) throws(METEORDataError) {
    var pairs: Set<UInt64> = []
    for text in texts {
      for (first, second) in zip(text, text.dropFirst()) { pairs.insert(Self.key(first, second)) }
    }
    let found: [(phrase: Int32, other: Int32)]
    do {
      let lines = try GzipLines(path: path, longest: 1 << 14)
      found = try read(lines, Phrasebook(words: words, pairs: pairs))
    } catch let error as METEORDataError {
      throw error
    } catch {
      throw .file(error as? FileError ?? FileError(path: path, action: "read", reason: "\(error)"))
    }
    // Sorted by phrase, the order of the file within.
    starts = [Int32](repeating: 0, count: count + 1)
    for (phrase, _) in found { starts[Int(phrase) + 1] += 1 }
    for phrase in 0..<count { starts[phrase + 1] += starts[phrase] }
    var free = starts
    others = [Int32](repeating: 0, count: found.count)
    for (phrase, other) in found {
      others[Int(free[Int(phrase)])] = other
      free[Int(phrase)] += 1
    }
  }

  /// Takes a file apart: all paraphrases of which both sides may be in a text, in its order.
  private mutating func read(
    _ lines: GzipLines, _ phrasebook: Phrasebook
  ) throws -> [(phrase: Int32, other: Int32)] {
    func malformed(_ expected: String, _ found: String) -> METEORDataError {
      .malformed(path: lines.path, line: lines.number, expected: expected, found: found)
    }
    var found: [(phrase: Int32, other: Int32)] = []
    var scratch: [Int32] = []
    // The lines of a phrase are beside each other.
    var last: [UInt8] = []
    var phrase: Int32?
    while let probability = try lines.next() {
      guard let first = probability.first, (0x30...0x39).contains(first) || first == 0x2E else {
        throw malformed("a probability", "`\(String(decoding: probability, as: UTF8.self))`")
      }
      guard let line = try lines.next() else { throw malformed("a phrase after it", "the end") }
      if last.isEmpty || line.count != last.count || !last.elementsEqual(line) {
        last = Array(line)
        phrase = nil
        switch phrasebook.numbers(of: line, into: &scratch) {
        case .known: phrase = add(scratch)
        case .unknown: break
        case .malformed(let what): throw malformed("a phrase of 1 to \(Self.longest) words", what)
        }
      }
      guard let line = try lines.next() else { throw malformed("another phrase after it", "the end") }
      guard let phrase else {
        guard !line.isEmpty else { throw malformed("a phrase of 1 to \(Self.longest) words", "none") }
        continue
      }
      switch phrasebook.numbers(of: line, into: &scratch) {
      case .known: found.append((phrase, add(scratch)))
      case .unknown: break
      case .malformed(let what): throw malformed("a phrase of 1 to \(Self.longest) words", what)
      }
      guard found.count <= Self.limit, count <= 4 * Self.limit else {
        throw METEORDataError.tooManyParaphrases(path: lines.path, limit: Self.limit)
      }
    }
    return found
  }

  /// The number of a phrase, which gets one if it has none.
  private mutating func add(_ words: [Int32]) -> Int32 {
    var node: Int32 = 0
    for word in words {
      let key = Self.key(node, word)
      if let known = next[key] {
        node = known
      } else {
        let number = Int32(truncatingIfNeeded: count)
        lengths.append(lengths[Int(node)] + 1)
        next[key] = number
        node = number
      }
    }
    return node
  }

  fileprivate static func key(_ first: Int32, _ second: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
  }

  /// How many words a phrase has.
  func length(of phrase: Int32) -> Int32 { lengths[Int(phrase)] }

  /// The paraphrases of a phrase in the order of the file.
  func paraphrases(of phrase: Int32) -> ArraySlice<Int32> {
    others[Int(starts[Int(phrase)])..<Int(starts[Int(phrase) + 1])]
  }

  /// All phrases in a text: by their first word, the shorter before the longer.
  func occurrences(in text: [Int32]) -> [Occurrence] {
    var found: [Occurrence] = []
    for start in text.indices {
      var node: Int32 = 0
      for end in start..<text.count {
        guard let longer = next[Self.key(node, text[end])] else { break }
        node = longer
        found.append(Occurrence(phrase: node, start: Int32(start), length: Int32(end + 1 - start)))
      }
    }
    return found
  }
}

/// Tells of a line whether its phrase may be in a text.
private struct Phrasebook {
  let words: WordIndex
  /// Words that are after each other in some text.
  let pairs: Set<UInt64>

  enum Answer {
    case known, unknown
    case malformed(String)
  }

  /// - Parameter numbers: the words' numbers, where they are known.
  func numbers(of line: UnsafeRawBufferPointer, into numbers: inout [Int32]) -> Answer {
    numbers.removeAll(keepingCapacity: true)
    var place = 0
    while true {
      while place < line.count, line[place] <= 0x20 { place += 1 }
      guard place < line.count else { break }
      let start = place
      while place < line.count, line[place] > 0x20 { place += 1 }
      guard numbers.count < Paraphrases.longest else { return .malformed("more") }
      let word = UnsafeRawBufferPointer(rebasing: line[start..<place])
      guard let number = words.number(of: word) else { return .unknown }
      if let last = numbers.last, !pairs.contains(Paraphrases.key(last, number)) { return .unknown }
      numbers.append(number)
    }
    return numbers.isEmpty ? .malformed("none") : .known
  }
}

public import Kernels
public import Language
internal import Synchronization

/// The captions of a dataset as words, each with the index of its image. A word is held once, and is a number in the
/// captions, which lie one after the other: 600,000 captions take 30 MB.
public struct TokenizedCaptions: Sendable, Equatable, RandomAccessCollection {
  /// The different words, in the order in which they first come.
  public let words: [String]
  /// The index in `CaptionDataset.images` of each caption's image.
  public let imageIndexes: [Int]
  /// The places of the words in `words`.
  let captions: EncodedCaptions

  /// The place of the first caption: 0.
  public var startIndex: Int { 0 }
  /// The number of captions.
  public var endIndex: Int { captions.count }

  /// The words of caption `index`; a caption of nothing but punctuation has none.
  public subscript(index: Int) -> [String] { captions[index].map { words[Int($0)] } }

  /// How often each word occurs.
  public var counts: [String: Int] {
    var counts = [Int](repeating: 0, count: words.count)
    for word in captions.ids { counts[Int(word)] += 1 }
    return Dictionary(uniqueKeysWithValues: zip(words, counts))
  }

  /// The word ids of each caption, without start or end.
  public func encoded(by vocabulary: Vocabulary) -> EncodedCaptions {
    let ids = vocabulary.encode(words)
    return EncodedCaptions(ids: captions.ids.map { ids[Int($0)] }, ends: captions.ends)
  }

  /// How well a vocabulary covers the captions.
  public func statistics(of vocabulary: Vocabulary) -> Vocabulary.Statistics {
    vocabulary.statistics(counts: counts, lengths: captions.indices.lazy.map { captions.length(of: $0) })
  }
}

extension CaptionDataset {
  /// Captions that one thread tokenizes at a time.
  private static let pieceSize = 8192

  /// All captions as words, image after image.
  public func tokenized(
    by tokenizer: Tokenizer = Tokenizer(), pool: ThreadPool = .shared
  ) -> TokenizedCaptions {
    var texts: [String] = []
    var imageIndexes: [Int] = []
    let count = captionCount
    texts.reserveCapacity(count)
    imageIndexes.reserveCapacity(count)
    for (index, image) in images.enumerated() {
      texts += image.captions
      imageIndexes += repeatElement(index, count: image.captions.count)
    }
    let pieces = (texts.count + Self.pieceSize - 1) / Self.pieceSize
    let tables = Mutex([WordTable](repeating: WordTable(), count: pieces))
    pool.run(pieces) { piece in
      var table = WordTable()
      for text in texts[piece * Self.pieceSize..<min((piece + 1) * Self.pieceSize, texts.count)] {
        table.add(tokenizer.tokens(text))
      }
      tables.withLock { $0[piece] = table }
    }
    // Piece after piece, so that the order of words does not depend on the threads.
    var whole = WordTable()
    for table in tables.withLock({ $0 }) { whole.append(table) }
    return TokenizedCaptions(words: whole.words, imageIndexes: imageIndexes, captions: whole.captions)
  }
}

/// Captions as numbers of words, and the words.
struct WordTable {
  private(set) var words: [String] = []
  private(set) var captions = EncodedCaptions()
  private var numbers: [String: Int32] = [:]

  private mutating func number(of word: String) -> Int32 {
    if let known = numbers[word] { return known }
    let new = Int32(truncatingIfNeeded: words.count)
    numbers[word] = new
    words.append(word)
    return new
  }

  mutating func add(_ tokens: [String]) { captions.append(tokens.map { number(of: $0) }) }

  mutating func append(_ other: WordTable) {
    let renumbered = other.words.map { number(of: $0) }
    captions.append(contentsOf: other.captions) { renumbered[Int($0)] }
  }
}

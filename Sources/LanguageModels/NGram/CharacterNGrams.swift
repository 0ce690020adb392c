public import Support

/// An n-gram model of the characters of a text.
public struct CharacterNGrams: Sendable {
  /// The characters, and one that stands for all others.
  public let vocabulary: TextVocabulary
  /// What follows what.
  public let model: NGramModel

  /// The model of a text.
  /// - Parameters:
  ///   - order: the characters that are seen before the one that is predicted.
  ///   - name: what an error calls the text.
  /// - Throws: `LanguageModelError` where it is too long, or of too many different characters.
  public init(of text: CharacterText, order: Int, named name: String) throws(LanguageModelError) {
    guard text.scalars.count <= NGramModel.longestText else {
      throw .text(
        path: name, location: "the text", expected: "at most \(NGramModel.longestText) characters",
        found: "\(text.scalars.count)")
    }
    vocabulary = TextVocabulary(of: text, minimumCount: 1, hasUnknown: true)
    guard vocabulary.count <= NGramModel.mostSymbols else {
      throw .text(
        path: name, location: "the text",
        expected: "fewer than \(NGramModel.mostSymbols) different characters",
        found: "\(vocabulary.count - 1)")
    }
    model = NGramModel(
      of: Self.symbols(text.scalars, vocabulary), symbols: vocabulary.count, order: order)
  }

  /// The symbols of characters; one that stands for all that are not known.
  private static func symbols(_ scalars: ArraySlice<Unicode.Scalar>, _ vocabulary: TextVocabulary) -> [UInt16]
  {
    let ascii = (0..<128).map { vocabulary.id(of: Unicode.Scalar(UInt8($0))) ?? 0 }
    return scalars.map { scalar in
      UInt16(scalar.value < 128 ? ascii[Int(scalar.value)] : vocabulary.id(of: scalar) ?? 0)
    }
  }

  /// How well it predicts each character of a text but the first, given all before it.
  /// - Parameter order: at most the model's, which it is unless given.
  public func score(_ text: CharacterText, order: Int? = nil) -> TextScore {
    let symbols = Self.symbols(text.scalars, vocabulary)
    guard let first = symbols.first else { return TextScore(count: 0, unknownCount: 0, bits: 0) }
    var reader = NGramReader(model, order: order)
    _ = reader.read(first)
    let rest = Array(symbols.dropFirst())
    let unknown = rest.count { Int32($0) == vocabulary.unknown }
    return TextScore(count: rest.count, unknownCount: unknown, bits: reader.bits(of: rest))
  }

  /// Characters drawn one after the other, each of those that followed the longest context that the text has of what is
  /// before it (Goldberg 2015).
  /// - Parameter use: called with each; false ends it.
  public func sample(
    _ length: Int, after prime: String, using random: inout Random, _ use: (Int32) throws -> Bool
  ) rethrows {
    var reader = NGramReader(model)
    for symbol in Self.symbols(Array(prime.unicodeScalars)[...], vocabulary) { _ = reader.read(symbol) }
    for _ in 0..<length {
      guard let symbol = reader.draw(using: &random), try use(Int32(symbol)) else { return }
    }
  }
}

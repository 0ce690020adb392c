internal import Language
internal import Support

/// A text as ids of a vocabulary. Words begin and end with `</s>`, which stands between sentences too.
public struct EncodedText: Sendable, Equatable {
  /// The ids.
  public let tokens: [Int32]
  /// How many of them stand for what the vocabulary has not.
  public let unknownCount: Int

  /// Reads text files as the vocabulary has them.
  /// - Throws: as `SourceText`, and naming a character without an id.
  public init(contentsOf paths: [String], as vocabulary: TextVocabulary) throws {
    try self.init(
      SourceText(contentsOf: paths, unit: vocabulary.unit), as: vocabulary,
      named: paths.joined(separator: ", "))
  }

  /// - Parameter name: what an error calls the text.
  init(_ text: SourceText, as vocabulary: TextVocabulary, named name: String) throws(LanguageModelError) {
    switch text {
    case .characters(let text):
      do throws(UnknownCharacter) { tokens = try vocabulary.encode(text.scalars) } catch {
        throw .text(
          path: name, location: "character \(error.place)",
          expected: "characters that the model knows (--unknown lets a new one know others)",
          found: String(error.character).debugDescription)
      }
    case .words(let sentences, let range):
      guard let words = vocabulary.words else { preconditionFailure("words of characters") }
      let encoded = sentences.encoded(by: words)
      var ids = [Vocabulary.end]
      for sentence in range {
        ids += encoded[sentence]
        ids.append(Vocabulary.end)
      }
      tokens = ids
    }
    let unknown = vocabulary.unknown ?? -1
    unknownCount = tokens.count { $0 == unknown }
  }

  /// Names the ids: the same, the same text.
  var fingerprint: String {
    var print = Fingerprint()
    for token in tokens { print.add(UInt64(UInt32(bitPattern: token))) }
    return print.text
  }
}

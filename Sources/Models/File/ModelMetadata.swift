internal import Foundation
internal import Language
package import Tensors

/// The metadata of a model file, of whatever kind; what is missing or makes no sense is told by its key.
package struct ModelMetadata {
  private let path: String
  private let values: [String: String]

  /// - Parameters:
  ///   - format: what the key `format` must say.
  ///   - kind: such a file, in words.
  ///   - version: what the key `format_version` must say.
  /// - Throws: `ModelError.unsupported`.
  package init(
    of file: SafetensorsFile, _ format: String, _ kind: String, version: String
  ) throws(ModelError) {
    (path, values) = (file.path, file.metadata)
    guard values["format"] == format else {
      throw unsupported("\(kind) (metadata key format: \(format))", values["format"])
    }
    guard values["format_version"] == version else {
      throw unsupported("format_version \(version)", values["format_version"])
    }
  }

  /// What a key says; nil: it is not there.
  package subscript(key: String) -> String? { values[key] }

  /// That this file can't be used.
  package func unsupported(_ expected: String, _ found: String?) -> ModelError {
    .unsupported(path: path, expected: expected, found: found ?? "none")
  }

  /// What the JSON of a key says.
  /// - Throws: `ModelError.unsupported`.
  package func read<T: Decodable>(_ type: T.Type, _ key: String) throws(ModelError) -> T {
    guard let text = values[key] else { throw unsupported("metadata key \(key)", nil) }
    do {
      return try JSONDecoder().decode(type, from: Data(text.utf8))
    } catch let error as VocabularyError {
      throw unsupported("a vocabulary", "\(error)")
    } catch let DecodingError.dataCorrupted(context) {
      throw unsupported("metadata key \(key) that makes sense", context.debugDescription)
    } catch {
      throw unsupported("metadata key \(key) that makes sense", String(text.prefix(80)))
    }
  }
}

internal import Foundation
internal import Support

/// Decodes a JSON file; what is wrong with it is said with its place, as `annotations[3].image_id`.
func decodeJSONFile<Value: Decodable>(_ type: Value.Type, at path: String) throws(DatasetError) -> Value {
  let file: FileContents
  do { file = try FileContents(path: path) } catch { throw .file(error) }
  return try decodeJSON(type, from: file)
}

/// Decodes JSON that is read already.
func decodeJSON<Value: Decodable>(_ type: Value.Type, from file: FileContents) throws(DatasetError) -> Value {
  guard !file.bytes.isEmpty else { throw .malformed(path: file.path, reason: "the file is empty") }
  return try withExtendedLifetime(file) { () throws(DatasetError) in
    try decodeJSON(type, from: file.bytes[...], path: file.path)
  }
}

/// Decodes JSON in memory.
/// - Parameter path: the file that it is from, for messages.
func decodeJSON<Value: Decodable>(
  _ type: Value.Type, from bytes: Slice<UnsafeRawBufferPointer>, path: String
) throws(DatasetError) -> Value {
  guard let start = UnsafeRawBufferPointer(rebasing: bytes).baseAddress else {
    throw .malformed(path: path, reason: "nothing is there")
  }
  let data = Data(
    bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count, deallocator: .none)
  do {
    return try JSONDecoder().decode(type, from: data)
  } catch let error as DecodingError {
    throw datasetError(error, path: path, data)
  } catch {
    throw .malformed(path: path, reason: "\(error)")
  }
}

/// What is wrong with an element of a JSON file whose other elements are read.
func datasetError(_ error: any Error, path: String) -> DatasetError {
  switch error {
  case let error as DatasetError: error
  case let error as DecodingError: datasetError(error, path: path, Data())
  default: .malformed(path: path, reason: "\(error)")
  }
}

private func datasetError(_ error: DecodingError, path: String, _ data: Data) -> DatasetError {
  switch error {
  case .keyNotFound(let key, let context):
    return .missing(path: path, location: location(context.codingPath + [key]))
  case .typeMismatch(let type, let context):
    return .unexpected(
      path: path, location: location(context.codingPath), expected: name(type), found: found(context))
  case .valueNotFound(let type, let context):
    return .unexpected(
      path: path, location: location(context.codingPath), expected: name(type), found: "null")
  case .dataCorrupted(let context):
    return .malformed(path: path, reason: syntaxError(in: data) ?? context.debugDescription)
  @unknown default:
    return .malformed(path: path, reason: "\(error)")
  }
}

/// Where the text stops being JSON: `JSONDecoder` on Linux does not say.
private func syntaxError(in data: Data) -> String? {
  do {
    _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
    return nil
  } catch { return (error as NSError).userInfo["NSDebugDescription"] as? String }
}

private func location(_ keys: [any CodingKey]) -> String {
  var text = ""
  for key in keys {
    if let index = key.intValue {
      text += "[\(index)]"
    } else {
      text += (text.isEmpty ? "" : ".") + key.stringValue
    }
  }
  return text.isEmpty ? "the top level" : text
}

private func name(_ type: Any.Type) -> String {
  if type == Int.self { return "an integer" }
  if type == String.self { return "a string" }
  if type == Double.self || type == Float.self { return "a number" }
  return "\(type)".hasPrefix("Array") ? "a list" : "an object"
}

/// What Foundation says was there: its sentence ends in `but found a string instead.`
private func found(_ context: DecodingError.Context) -> String {
  let text = context.debugDescription
  guard let start = text.range(of: "but found "), let end = text.range(of: " instead") else { return text }
  guard start.upperBound <= end.lowerBound else { return text }
  return String(text[start.upperBound..<end.lowerBound])
}

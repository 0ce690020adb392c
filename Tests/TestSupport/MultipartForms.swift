/// A body of `multipart/form-data`.
public func multipartForm(_ parts: [(headers: String, content: [UInt8])], boundary: String = "b") -> [UInt8] {
  var body: [UInt8] = []
  for part in parts {
    body += Array("--\(boundary)\r\n\(part.headers)\r\n\r\n".utf8) + part.content + [13, 10]
  }
  return body + Array("--\(boundary)--\r\n".utf8)
}

/// The headers of a file.
public func fileHeaders(_ name: String) -> String {
  "Content-Disposition: form-data; name=\"image\"; filename=\"\(name)\""
}
/// The headers of a field.
public func fieldHeaders(_ name: String) -> String { "Content-Disposition: form-data; name=\"\(name)\"" }

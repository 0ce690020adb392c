internal import Foundation
internal import Glibc
internal import Support

/// A body of `multipart/form-data` (RFC 7578), taken apart in place.
struct MultipartForm {
  /// A field or a file.
  struct Part: Equatable {
    let name: String
    let fileName: String?
    let contentType: String?
    /// A part of the body, not copied.
    let content: ArraySlice<UInt8>

    /// Whether it is a file rather than a field.
    var isFile: Bool { fileName != nil || contentType?.hasPrefix("image/") == true }
  }

  let parts: [Part]

  /// Parts, and bytes of a part's headers, at most.
  private static let (maximumParts, maximumHeaders) = (1024, 8192)

  /// Takes a body apart.
  /// - Parameter contentType: the request's, with the boundary.
  /// - Throws: `Problem` saying what is wrong with it.
  init(_ body: [UInt8], contentType: String) throws(Problem) {
    let header = HeaderValue(contentType)
    guard let boundary = header.parameters["boundary"], (1...70).contains(boundary.utf8.count) else {
      throw .bad(
        "Content-Type: expected a boundary of 1 to 70 characters, found \"\(contentType.shortened(to: 100))\""
      )
    }
    let line = Array("--\(boundary)".utf8)
    let delimiter = Array("\r\n".utf8) + line
    var place = line.count
    if !body.starts(with: line) {
      guard let first = body.place(of: delimiter, from: 0) else {
        throw .bad("the body: expected a part after the boundary, found none")
      }
      place = first + delimiter.count
    }
    var parts: [Part] = []
    while true {
      if body[place...].starts(with: Array("--".utf8)) { break }
      // Blanks may follow the boundary.
      while place < body.count, body[place] == 0x20 || body[place] == 0x09 { place += 1 }
      guard body[place...].starts(with: Array("\r\n".utf8)) else {
        throw .bad("the body: expected a line's end after boundary \(parts.count + 1), found none")
      }
      guard parts.count < Self.maximumParts else {
        throw .bad("the body: expected at most \(Self.maximumParts) parts, found more")
      }
      guard let blank = body.place(of: Array("\r\n\r\n".utf8), from: place, within: Self.maximumHeaders)
      else {
        throw .bad(
          "part \(parts.count + 1): expected headers of at most \(Self.maximumHeaders) bytes, found more")
      }
      guard let end = body.place(of: delimiter, from: blank + 2) else {
        throw .bad("part \(parts.count + 1): expected a boundary after it, found the end of the body")
      }
      // A part without content has its boundary right after the headers.
      parts.append(
        try Self.part(body[min(place + 2, blank)..<blank], body[min(blank + 4, end)..<end], parts.count + 1))
      place = end + delimiter.count
    }
    self.parts = parts
  }

  private static func part(
    _ headers: ArraySlice<UInt8>, _ content: ArraySlice<UInt8>, _ number: Int
  ) throws(Problem) -> Part {
    var values: [String: String] = [:]
    for line in String(decoding: headers, as: UTF8.self).split(separator: "\r\n") {
      // Not part of any value (RFC 9110, 5.5), escaped or not.
      guard !line.unicodeScalars.contains(where: { $0 == "\r" || $0 == "\n" }) else {
        throw .bad("part \(number): expected headers whose lines end in CR LF, found a lone CR or LF")
      }
      let scalars = line.unicodeScalars
      guard let colon = scalars.firstIndex(of: ":") else {
        throw .bad("part \(number): expected a header, found none")
      }
      values[String(scalars[..<colon]).lowercased()] =
        String(scalars[scalars.index(after: colon)...]).trimmingCharacters(in: .whitespaces)
    }
    let disposition = HeaderValue(values["content-disposition"] ?? "")
    guard disposition.value == "form-data", let name = disposition.parameters["name"] else {
      throw .bad("part \(number): expected Content-Disposition: form-data with a name, found none")
    }
    return Part(
      name: name, fileName: disposition.parameters["filename"],
      contentType: values["content-type"].map { HeaderValue($0).value }, content: content)
  }
}

extension [UInt8] {
  /// Where bytes that begin with a carriage return occur first. What matches in part has no other carriage return that
  /// would be looked at again, or few (in \r\n\r\n), so the time is linear in the bytes.
  /// - Parameter limit: how far they may end from `start`.
  func place(of bytes: [UInt8], from start: Int, within limit: Int = .max) -> Int? {
    withUnsafeBytes { all -> Int? in
      guard start <= all.count, let base = all.baseAddress else { return nil }
      let end = start + Swift.min(all.count - start, limit)
      var place = start
      while end - place >= bytes.count, let found = memchr(base + place, 0x0D, end - place) {
        place = UnsafeRawPointer(found) - base
        if end - place >= bytes.count, memcmp(base + place, bytes, bytes.count) == 0 { return place }
        place += 1
      }
      return nil
    }
  }
}

import ArgumentParser
import Foundation
import Language
import PhotoMetadata
import Support

/// The files that `caption --write` makes, each whole or not at all.
struct CaptionFiles {
  /// A kind of them.
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    /// A text file of the photo's name, a caption a line.
    case txt
    /// An XMP side file, the photo's name and `.xmp`.
    case xmp
    /// The photo itself, or a copy.
    case embedded
  }

  /// What becomes of captions that are there already.
  enum Existing { case refused, skipped, replaced }

  /// What is to be done about a photo.
  enum Work: Equatable {
    case write([Kind])
    /// All of it is there.
    case nothing
    /// Nothing, for this reason.
    case refused(String)
  }

  let kinds: [Kind]
  /// Where they go; nil: beside the photos.
  let folder: String?
  let existing: Existing
  /// What is around a caption.
  let before, after: String
  /// All photos, which must not be written over.
  var photos: Set<ExactName> = []
  /// Their files, whatever they are called; looked at where a file is there already.
  private lazy var photoFiles = Set(photos.compactMap { status($0.text).map(Identity.init) })
  /// The photo that each file is of.
  private var owners: [ExactName: String] = [:]
  /// Folders that what killed processes left was removed from.
  private var cleaned: Set<String> = []

  init(kinds: [Kind], folder: String?, existing: Existing, before: String = "", after: String = "") {
    self.kinds = kinds
    self.folder = folder
    self.existing = existing
    self.before = before
    self.after = after
  }

  /// Makes the folder that files go to, if one is named and not there.
  /// - Throws: `FileError`.
  func makeFolder() throws(FileError) {
    if let folder { try OutputFolder.make(folder) }
  }

  /// A file, whatever leads to it.
  private struct Identity: Hashable {
    let device, inode: UInt64

    init(_ status: stat) {
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
    }
  }

  /// What is to be done about a photo, in the order in which they are given: two photos can't have one file.
  mutating func work(_ photo: String) -> Work {
    var missing: [Kind] = []
    for kind in kinds {
      let path = path(kind, photo)
      if let owner = owners.updateValue(photo, forKey: ExactName(path)) {
        owners[ExactName(path)] = owner
        let reason =
          ExactName(owner) == ExactName(photo)
          ? "it is given twice" : "\(path) is the file of \(owner) already, which was given before"
        return .refused("\(photo): \(reason)")
      }
      let isOwn = path == photo && kind == .embedded
      let linked = isOwn ? nil : status(path).map(Identity.init)
      guard isOwn || !photos.contains(ExactName(path)) && linked.map({ photoFiles.contains($0) }) != true
      else {
        return .refused("\(photo): \(path), which would be its \(kind.rawValue) file, is read as a photo")
      }
      let folder = FileName.split(path).folder
      if cleaned.insert(folder).inserted { removeLeftovers(in: folder.isEmpty ? "." : folder) }
      do {
        if try !isThere(kind, photo) || existing == .replaced {
          missing.append(kind)
        } else if existing == .refused {
          return .refused(refusal(kind, photo))
        }
      } catch { return .refused("\(error)") }
    }
    return missing.isEmpty ? .nothing : .write(missing)
  }

  /// Writes a photo's captions, the best first.
  /// - Throws: `Failure`, `FileError`; then the file is as it was.
  func write(_ captions: [Caption], of photo: String, _ kinds: [Kind]) throws {
    for kind in kinds {
      let path = path(kind, photo)
      switch kind {
      case .txt:
        let text = captions.map { written($0) + "\n" }.joined()
        try put(kind, photo) { (file) throws(FileError) in try file.write(text) }
      case .xmp:
        let text = captions.first.map(written) ?? ""
        let old = try packet(path)
        guard old?.description == nil || existing == .replaced else {
          throw Failure(description: refusal(kind, photo))
        }
        let packet = try Self.naming(path) { () throws(MetadataError) in
          guard var packet = old else { return try XMPPacket(description: text, embedded: false) }
          try packet.setDescription(text)
          return packet
        }
        // One that came to be meanwhile is not replaced.
        try put(kind, photo, replacing: old != nil) { (file) throws(FileError) in
          try file.write(packet.bytes)
        }
      case .embedded:
        let contents = try FileContents(path: photo, limit: Self.largestPhoto)
        let text = captions.first.map(written) ?? ""
        let parts = try Self.naming(photo) { () throws(MetadataError) in
          let isDescribed = try PhotoDescription.embedded(in: contents.bytes) != nil
          return isDescribed && existing != .replaced
            ? nil : try PhotoDescription.embedding(text, in: contents.bytes)
        }
        guard let parts else { throw Failure(description: refusal(kind, photo)) }
        try put(kind, photo, replacing: path == photo) { (file) throws(FileError) in
          for part in parts {
            switch part {
            case .kept(let range): try file.write(UnsafeRawBufferPointer(rebasing: contents.bytes[range]))
            case .new(let bytes): try file.write(bytes)
            }
          }
        }
      }
    }
  }

  private static let largestPhoto = 1 << 30

  /// Caption files are read by programs a line each, and may be looked at in a terminal.
  private func written(_ caption: Caption) -> String { before + caption.text.printable() + after }

  private func put(
    _ kind: Kind, _ photo: String, replacing: Bool = false, _ body: (inout AtomicFile) throws -> Void
  ) throws {
    let path = path(kind, photo)
    if replacing || existing == .replaced {
      try AtomicFile.write(to: path, amongMany: true, body)
    } else if try !AtomicFile.create(path, amongMany: true, body) {
      throw Failure(description: refusal(kind, photo))
    }
  }

  /// Whether a photo has what would be written; of the other XMP of a side file that is no reason not to write.
  private func isThere(_ kind: Kind, _ photo: String) throws -> Bool {
    let path = path(kind, photo)
    switch kind {
    case .txt: return try isFile(path)
    case .xmp: return try packet(path)?.description != nil
    case .embedded:
      if path != photo, try isFile(path) { return true }
      // What can't be read or is none is told when it is decoded.
      guard let found = status(photo), found.st_mode & S_IFMT == S_IFREG else { return false }
      return try Self.naming(photo) { () throws(MetadataError) in
        try description(photo, size: Int(found.st_size))
      }
        != nil
    }
  }

  /// What a photo says of itself, mostly from its beginning alone.
  private func description(_ photo: String, size: Int) throws(MetadataError) -> String? {
    let head = 1 << 18
    if size > head, let bytes = Self.beginning(of: photo, count: head) {
      // Where that is too little it looks broken.
      do { return try bytes.withUnsafeBytes { try PhotoDescription.embedded(in: $0) } } catch {}
    }
    guard let contents = try? FileContents(path: photo, limit: Self.largestPhoto) else { return nil }
    return try PhotoDescription.embedded(in: contents.bytes)
  }

  private static func beginning(of path: String, count: Int) -> [UInt8]? {
    let descriptor = open(FileName.path(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: count)
    let got = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, count) }
    return got == count ? bytes : nil
  }

  /// The packet of a side file; nil where there is no such file.
  private func packet(_ path: String) throws -> XMPPacket? {
    guard try isFile(path) else { return nil }
    let contents = try FileContents(path: path, limit: XMPPacket.largest)
    return try Self.naming(path) { () throws(MetadataError) in try XMPPacket(Array(contents.bytes)) }
  }

  /// Whether there is a file of that name.
  /// - Throws: `FileError` where something else is: a folder is no caption.
  private func isFile(_ path: String) throws(FileError) -> Bool {
    guard let found = status(path) else { return false }
    guard found.st_mode & S_IFMT == S_IFREG else {
      throw FileError(path: path, action: "write", reason: "not a regular file")
    }
    return true
  }

  private static func naming<R>(_ path: String, _ body: () throws(MetadataError) -> R) throws -> R {
    do { return try body() } catch { throw Failure(description: "\(path): \(error)") }
  }

  private func refusal(_ kind: Kind, _ photo: String) -> String {
    let path = path(kind, photo)
    let what =
      kind == .txt
      ? "\(path) is there already"
      : kind == .embedded && path != photo && status(path) != nil
        ? "\(path) is there already" : "\(kind == .xmp ? path : photo) has a description already"
    return "\(photo): \(what): --skip-existing leaves it, --overwrite replaces it"
  }

  private func status(_ path: String) -> stat? {
    var found = stat()
    return stat(FileName.path(path), &found) == 0 ? found : nil
  }

  /// The file of a kind that is a photo's.
  func path(_ kind: Kind, _ photo: String) -> String {
    let (own, name) = FileName.split(photo)
    let place = folder.map { $0.hasSuffix("/") ? $0 : $0 + "/" } ?? own
    switch kind {
    case .txt: return place + Self.stem(name) + ".txt"
    case .xmp: return place + name + ".xmp"
    case .embedded: return place + name
    }
  }

  /// A path without its name's ending.
  static func stem(_ path: String) -> String {
    let (folder, name) = FileName.split(path)
    let scalars = name.unicodeScalars
    guard let dot = scalars.lastIndex(of: "."), dot != scalars.startIndex else { return path }
    return folder + String(scalars[..<dot])
  }
}

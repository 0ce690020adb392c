import Foundation
import Imaging
import Language
import Support
import WebPages

/// An HTML page whose images are to be captioned, and where their pictures are.
struct Page {
  let path: String
  let images: PageImages
  /// What became of each image so far: nil where its picture is to be captioned.
  private let places: [Place]

  private enum Place {
    case file(String)
    case other(PageOutcome.Kind, String?)
  }

  /// Reads a page.
  /// - Parameter root: the folder that holds the site's pictures; the page's own unless given.
  /// - Throws: `FileError`.
  init(_ path: String, root: String?, limit: Int) throws(FileError) {
    self.path = path
    let contents = try FileContents(path: path, limit: limit)
    let bytes = Array(contents.bytes)
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw FileError(
        path: path, action: "read",
        reason: "expected UTF-8 or another encoding that holds ASCII, found UTF-16")
    }
    // What the standard lets no page have; pictures and archives begin with some.
    guard !bytes.prefix(1024).contains(0) else {
      throw FileError(
        path: path, action: "read", reason: "expected an HTML page, found bytes that are no text")
    }
    images = PageImages(bytes)
    let own = FileName.split(path).folder
    let folder = own.isEmpty ? "./" : own
    let root = root ?? folder
    places = images.images.map { image in
      if image.hasAlt { return .other(.hasAlt, nil) }
      let names: [String]
      switch image.source.map(PictureAddress.init) {
      case .besidePage(let name): names = [folder + name, root + "/" + name]
      case .belowRoot(let name): names = [root + "/" + name]
      case .elsewhere, nil: return .other(.elsewhere, nil)
      }
      guard let file = names.first(where: { access(FileName.path($0), F_OK) == 0 }) else {
        return .other(.failed, "expected a file, found none at \(names.joined(separator: " or "))")
      }
      guard let real = Self.real(file), let held = Self.real(root),
        real.starts(with: held + [UInt8(ascii: "/")])
      else {
        return .other(.failed, "\(file): expected a picture in \(root), found one outside; see --images-root")
      }
      return .file(file)
    }
  }

  /// A path behind all symbolic links.
  private static func real(_ path: String) -> [UInt8]? {
    guard let resolved = realpath(FileName.path(path), nil) else { return nil }
    defer { free(resolved) }
    let bytes = UnsafeRawBufferPointer(start: resolved, count: strlen(resolved))
    // The root of all has no name.
    return bytes.elementsEqual([UInt8(ascii: "/")]) ? [] : Array(bytes)
  }

  /// The files of the pictures that are to be captioned.
  var pictures: [String] {
    places.compactMap { if case .file(let path) = $0 { path } else { nil } }
  }

  /// What became of each image.
  func outcomes(
    _ captions: [ExactName: Result<Caption, ImageError>], isSure: (Caption) -> Bool
  ) -> [PageOutcome] {
    zip(images.images, places).map { image, place in
      // Of a picture in the page itself nobody wants to see the bytes.
      let source = image.source.map { $0.lowercased().hasPrefix("data:") ? "data:…" : $0 }
      var outcome = PageOutcome(page: path, line: image.line, src: source)
      switch place {
      case .other(let kind, let error): (outcome.outcome, outcome.error) = (kind, error)
      case .file(let file):
        outcome.path = file
        switch captions[ExactName(file)] {
        case .success(let caption):
          outcome.outcome = isSure(caption) ? .captioned : .unsure
          (outcome.caption, outcome.log_prob, outcome.confidence) = (
            caption.text, caption.logProb, caption.confidence
          )
        case .failure(let error): outcome.error = error.description
        case nil: outcome.error = "not captioned"
        }
      }
      return outcome
    }
  }
}

/// What became of an image of a page; as JSON, a line of output.
struct PageOutcome: Encodable {
  enum Kind: String, Encodable, CaseIterable {
    case captioned, unsure
    case hasAlt = "has alt"
    case elsewhere, failed
  }

  let page: String
  let line: Int
  let src: String?
  var path: String?
  var outcome = Kind.failed
  var caption: String?
  var log_prob: Float?
  var confidence: Double?
  var error: String?

  /// A line for people.
  var text: String {
    let told =
      switch outcome {
      case .captioned: caption ?? ""
      case .unsure: "(unsure, left out) \(caption ?? "")"
      case .hasAlt: "(has alt)"
      case .elsewhere: "(not a file of the site)"
      case .failed: "(failed) \(error ?? "")"
      }
    return Console.oneLine("\(page):\(line): \(src ?? "no src"): \(told)")
  }
}

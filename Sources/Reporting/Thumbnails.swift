internal import Foundation
internal import Imaging
internal import Support

/// Small pictures for the gallery.
struct Thumbnails {
  /// What each image's `src` is; nil where the photo can't be read.
  let sources: [String?]

  static let side = 240
  static let quality = 72

  /// Makes them: in the page if there are at most `Report.embeddingLimit`, else in a folder that is named after `page`.
  init(_ images: [(id: Int, path: String)], page: String, progress: (Int) -> Void) throws(ReportError) {
    let embeds = images.count <= Report.embeddingLimit
    let folder = Self.folder(of: page)
    if !embeds {
      do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      } catch {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue
        else {
          throw .file(FileError(path: folder, action: "make the folder", reason: error.localizedDescription))
        }
      }
    }
    if !embeds { removeLeftovers(in: folder) }
    // The page names them relative to itself.
    let name = folder.split(separator: "/").last.map(String.init) ?? folder
    var sources: [String?] = []
    for (number, image) in images.enumerated() {
      let bytes = Self.picture(of: image.path)
      if let bytes, embeds {
        sources.append(Self.source(bytes))
      } else if let bytes {
        let path = "\(folder)/\(image.id).jpg"
        try Report.write(to: path) { try $0.write(bytes) }
        sources.append("\(HTML.urlComponent(name))/\(image.id).jpg")
      } else {
        sources.append(nil)
      }
      progress(number + 1)
    }
    self.sources = sources
  }

  /// A photo's thumbnail as a source that lies in the page; nil if the photo can't be read.
  static func embedded(_ path: String, side: Int = side) -> String? {
    picture(of: path, side: side).map(source)
  }

  private static func picture(of path: String, side: Int = side) -> [UInt8]? {
    (try? ImageReader().thumbnail(contentsOf: path, side: side))?.jpeg(quality: quality)
  }

  private static func source(_ bytes: [UInt8]) -> String {
    "data:image/jpeg;base64," + Data(bytes).base64EncodedString()
  }

  /// `report.html` gives `report-images`.
  static func folder(of page: String) -> String {
    let stem = [".html", ".htm"].first { page.hasSuffix($0) }.map { String(page.dropLast($0.count)) } ?? page
    return stem + "-images"
  }
}

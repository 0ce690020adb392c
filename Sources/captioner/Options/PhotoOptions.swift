import ArgumentParser
import Imaging

/// How commands read photos.
struct PhotoOptions: ParsableArguments {
  @Flag(
    help: """
      Take what is there of photos that are damaged or cut short (but for HEIC and AVIF); missing rows are grey.
      """)
  var lenient = false
  @Flag(
    help: """
      Decode every pixel of large JPEGs before they are made smaller, as earlier versions did; else no finer than twice the \
      side that the network reads, which is faster.
      """)
  var exactDecoding = false
  @Option(
    help: ArgumentHelp(
      "The largest photo that is read, in pixels; memory stays bounded all the same.", valueName: "n"))
  var maxPixels = ImageReader.usualMaximumPixels

  func validate() throws {
    guard maxPixels > 0 else {
      throw ValidationError("--max-pixels: expected at least 1, found \(maxPixels)")
    }
  }

  /// A reader that tells people what is odd about a photo.
  var reader: ImageReader {
    var reader = ImageReader()
    reader.isLenient = lenient
    reader.decoding = exactDecoding ? .exact : .scaled
    reader.maximumPixels = maxPixels
    reader.warn = { Console.complain($0) }
    return reader
  }
}

/// How commands take folders of photos.
struct FolderOptions: ParsableArguments {
  @Flag(help: "Go into the folders in folders too.") var recursive = false

  /// The files that a path stands for; what is left out is told.
  /// - Throws: `ImageError` for a folder that can't be listed.
  func list(_ path: String) throws(ImageError) -> ImageFiles.Listing {
    let listing = try ImageFiles.list(path, recursive: recursive)
    for note in listing.notes { Console.complain(note) }
    return listing
  }
}

internal import Glibc

/// A reader of files that others wrote, to be tried on any bytes: it may refuse them, in memory and time that fit their
/// number, and nothing else. `tools/fuzz` makes the bytes up; the tests repeat those that once did harm.
struct ForeignReader: Sendable {
  /// As `tools/fuzz` calls it, and the folder of `Fixtures`.
  let name: String
  /// The most bytes that are worth trying.
  var longest = 4096
  /// How the names of further seeds, among Imaging's decoding fixtures, end.
  var fixtures: String?
  /// What such files are made of, for whoever makes them up.
  var words: [String] = []
  /// Small files that are read.
  var seeds: @Sendable () throws -> [[UInt8]] = { [] }
  /// Makes checksums right, which chance never does.
  var repair: (@Sendable (inout [UInt8]) -> Void)?
  /// Reads bytes, which it may also put into the file.
  /// - Throws: `Wrong` for what is neither read nor refused as it should be.
  let read: @Sendable (UnsafeRawBufferPointer, ScratchFile) throws -> Void

  /// All of them.
  static let all = [
    png, jpeg, webp, gif, bmp, tiff, heif, orientation, xmp, descriptions, safetensors, encoder, model,
    captions, folder, results, text, meteor, archives, sentences, labels, scores, features, givenFeatures,
    photos,
    checkpoint, configuration, languageModel, languageText, languageCheckpoint, pages,
    multipart, json, queries, submissions, questions, pickles, pyTorch, numPy, caffe, onnx, hdf5, torch7,
    captioners, captionerInfos,
  ]

  /// What a reader did that it must not.
  struct Wrong: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }
}

/// A file without a name, in memory where there is a place for such, that has a path all the same; one for all that is
/// tried.
final class ScratchFile {
  private let descriptor: Int32
  /// Its path.
  var path: String { "/proc/self/fd/\(descriptor)" }

  /// The folder of files that need not last.
  static let folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"

  init() throws {
    var name = Array("\(Self.folder)/captioner-XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw ForeignReader.Wrong("no file: \(String(cString: strerror(errno)))") }
    unlink(name)
  }

  deinit { close(descriptor) }

  /// Makes it hold these bytes.
  func hold(_ bytes: UnsafeRawBufferPointer) {
    ftruncate(descriptor, 0)
    pwrite(descriptor, bytes.baseAddress, bytes.count, 0)
  }

  func hold(_ bytes: [UInt8]) { bytes.withUnsafeBytes(hold) }
}

/// What `body` gives, or the text of its error.
func outcome<R>(_ body: () throws -> R) -> (value: R?, error: String) {
  do { return (try body(), "") } catch { return (nil, "\(error)") }
}

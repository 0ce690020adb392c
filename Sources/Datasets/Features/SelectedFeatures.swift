internal import Kernels
internal import Support
internal import Synchronization
public import Tensors

/// Files of features that belong together: of one shape, each for other images.
public struct FeatureFiles: Sendable {
  /// The files.
  public let files: [FeatureFile]
  /// The numbers of an image: [D], or of its regions [R, D] or [h, w, D].
  public var shape: Shape { files[0].shape }
  /// The files, for messages.
  public var name: String { files.map(\.path).joined(separator: ", ") }

  /// Opens files, at least one.
  /// - Throws: `FeatureFileError`.
  public init(paths: [String]) throws(FeatureFileError) {
    var files: [FeatureFile] = []
    for path in paths { files.append(try FeatureFile(path: path)) }
    try self.init(files)
  }

  /// The same of files that are open.
  init(_ files: [FeatureFile]) throws(FeatureFileError) {
    precondition(!files.isEmpty)
    for file in files where file.shape != files[0].shape {
      throw FeatureFile.unexpected(
        file.path, "the file", "\(files[0].shape) an image, as in \(files[0].path)", "\(file.shape)")
    }
    self.files = files
  }

  /// The names of all images, file after file.
  public var names: [String] { files.flatMap(\.names) }

  /// A row of a file.
  struct Place: Hashable, Sendable {
    let file, row: Int
  }

  /// The features of an image [1, width].
  /// - Throws: `FeatureFileError`, where there are none too.
  public func features(of image: NamedImage) throws(FeatureFileError) -> Tensor {
    guard let place = try place(of: image) else {
      throw .lacking(path: name, count: 1, of: 1, first: image.path)
    }
    var numbers = Tensor(uninitialized: [1, shape.count])
    try checked(place, into: numbers.mutablePointer())
    return numbers
  }

  /// Where the features of an image are; nil: there are none.
  func place(of image: NamedImage) throws(FeatureFileError) -> Place? {
    for (number, file) in files.enumerated() {
      if let row = try file.row(of: image) { return Place(file: number, row: row) }
    }
    return nil
  }

  func read(_ place: Place, into numbers: UnsafeMutablePointer<Float>) throws(FeatureFileError) {
    try files[place.file].read(place.row, into: numbers)
  }

  /// That the numbers of a row are none that a network may give.
  func damage(at place: Place) -> FeatureFileError {
    let file = files[place.file]
    return FeatureFile.unexpected(file.path, file.names[place.row], "finite numbers", "others")
  }

  /// Reads an image's numbers, which must be some that a network may give.
  func checked(_ place: Place, into numbers: UnsafeMutablePointer<Float>) throws(FeatureFileError) {
    try read(place, into: numbers)
    guard sumOfSquares(numbers, count: shape.count, on: .cpu) < 1e24 else { throw damage(at: place) }
  }
}

/// The features of some images, all of which are there and finite.
public struct SelectedFeatures: Sendable {
  /// Names the numbers of all images.
  public let fingerprint: String
  private let files: FeatureFiles
  private let places: [FeatureFiles.Place]
  private let failure = Failure()

  /// Numbers of an image.
  public var width: Int { files.shape.count }
  /// Images.
  public var count: Int { places.count }
  /// What went wrong since: then what was read is not numbers.
  public var error: FeatureFileError? { failure.first.withLock { $0 } }

  /// Looks images up, and reads the features of each once.
  /// - Parameter progress: called with the number of images read.
  /// - Throws: `FeatureFileError`, naming the first image that has none.
  public init(
    _ images: [NamedImage], in files: FeatureFiles, progress: (Int) throws -> Void = { _ in }
  ) throws {
    self.files = files
    var places: [FeatureFiles.Place] = []
    var owners: [FeatureFiles.Place: Int] = [:]
    var lacking: [String] = []
    for (number, image) in images.enumerated() {
      guard let place = try files.place(of: image) else {
        lacking.append(image.path)
        continue
      }
      if let owner = owners[place], ExactName(images[owner].path) != ExactName(image.path) {
        throw FeatureFileError.shared(
          path: files.files[place.file].path, name: files.files[place.file].names[place.row],
          images: [images[owner].path, image.path])
      }
      owners[place] = number
      places.append(place)
    }
    if let first = lacking.first {
      throw FeatureFileError.lacking(path: files.name, count: lacking.count, of: images.count, first: first)
    }
    var fingerprint = Fingerprint()
    for extent in files.shape.dimensions { fingerprint.addFolded(UInt64(extent)) }
    var numbers = [Float](repeating: 0, count: files.shape.count)
    for (done, place) in places.enumerated() {
      try numbers.withUnsafeMutableBufferPointer { try files.checked(place, into: $0.baseAddress!) }
      for number in numbers { fingerprint.addFolded(UInt64(number.bitPattern)) }
      if done % 256 == 255 { try progress(done + 1) }
    }
    self.places = places
    self.fingerprint = fingerprint.text
  }

  /// The features of some of the images, [N, width]; where they can't be read any more, no numbers, and `error` tells.
  public func read(_ images: [Int]) -> Tensor {
    var result = Tensor(uninitialized: [images.count, width])
    let memory = result.mutablePointer()
    for (position, image) in images.enumerated() {
      let numbers = memory + position * width
      do { try files.read(places[image], into: numbers) } catch {
        failure.first.withLock { $0 = $0 ?? error }
        numbers.update(repeating: .nan, count: width)
      }
    }
    return result
  }

  private final class Failure: Sendable {
    let first = Mutex<FeatureFileError?>(nil)
  }
}

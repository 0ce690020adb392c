public import Support

/// A file of HDF5, in which Keras keeps weights and many programs of Python what they computed: groups of datasets.
///
/// Written from the HDF5 File Format Specification 3.0, for what h5py and Keras write: superblocks of version 0 to 3,
/// groups old and new, datasets that are compact, contiguous or in chunks, compressed by deflate, shuffled, with
/// checksums. Elements are integers of 8 to 64 bits, IEEE floats of 16 to 64 (bfloat16 too) in either order of bytes, or
/// text. Not read, and refused by name where they are asked for: other filters (LZF, SZIP, …), chunks indexed by
/// extensible arrays (`libver='latest'` with one dimension that may grow), virtual and external datasets, committed types,
/// compounds, layouts from before version 3. Soft and external links are passed over. A block of the user's before the
/// superblock is not looked for. Of checksums only those of data are compared.
///
/// It is our own, and not the HDF Group's library, since that is known to crash on damaged files and nothing that a user
/// gives us may; and since Debian's brings curl and OpenSSL along.
public struct HDF5File: Sendable {
  /// The path it was opened by.
  public let path: String
  /// Every dataset, group by group, depth first.
  public let datasets: [HDF5Dataset]
  /// The attributes of groups and datasets that have some, by path; the file's own are those of the empty path.
  public let attributes: [String: [String: HDF5Attribute]]
  private let places: [String: Int]

  /// The most bytes of a path, and the most groups within each other.
  static let longestPath = 4096
  private static let deepest = 128

  /// What every file begins with.
  static let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]

  /// Opens a file and reads what it says of its datasets; they are read when they are asked for.
  /// - Throws: `WeightFileError` when it can't be read, or is not an HDF5 file, or is damaged.
  public init(path: String) throws(WeightFileError) {
    let file: MappedFile
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    try self.init(file)
  }

  /// The file that bytes are.
  /// - Throws: as the other.
  public init(_ file: MappedFile) throws(WeightFileError) {
    path = file.path
    let (bytes, root) = try Self.superblock(of: file)
    var contents = Contents(bytes: bytes)
    try contents.add(root, path: "", depth: 0)
    datasets = contents.datasets
    attributes = contents.attributes
    places = Dictionary(zip(datasets.map(\.name), datasets.indices)) { first, _ in first }
  }

  /// The dataset of a path, `group/name`.
  /// - Throws: `WeightFileError.malformed` where there is none.
  public func dataset(named name: String) throws(WeightFileError) -> HDF5Dataset {
    guard let place = places[name] else {
      throw .malformed(
        path: path, place: "the file", expected: "a dataset \(name.printable())",
        found: "\(datasets.count) others")
    }
    return datasets[place]
  }

  /// How addresses are written, and where the root group's header is.
  private static func superblock(of file: MappedFile) throws(WeightFileError) -> (HDF5Bytes, root: Int) {
    var bytes = HDF5Bytes(file)
    var cursor = try bytes.cursor(at: 0, "HDF5")
    guard file.bytes.starts(with: signature) else {
      throw cursor.malformed(
        "an HDF5 file", FileKind.name(ofFileThatBegins: file.bytes.prefix(512)) ?? "another")
    }
    try cursor.skip(8, "HDF5's signature")
    let version = try cursor.byte("the superblock's version")
    guard version <= 3 else { throw cursor.malformed("a superblock of version 0 to 3", "\(version)") }
    if version < 2 { try cursor.skip(4, "superblock") }
    bytes.addressSize = try cursor.byte("the size of addresses")
    bytes.lengthSize = try cursor.byte("the size of lengths")
    guard [2, 4, 8].contains(bytes.addressSize), [2, 4, 8].contains(bytes.lengthSize) else {
      throw cursor.malformed(
        "addresses and lengths of 2, 4 or 8 bytes", "\(bytes.addressSize) and \(bytes.lengthSize)")
    }
    try cursor.skip(version < 2 ? 9 + (version == 1 ? 4 : 0) : 1, "superblock")
    cursor = try bytes.cursor(at: cursor.place, "a superblock")
    bytes.base = try cursor.number("the base address", size: bytes.addressSize)
    // Extension or free space, the file's end and, in the old ones, a driver.
    try cursor.skip((version < 2 ? 3 : 2) * bytes.addressSize, "superblock")
    // In the old ones an entry of a table of symbols.
    if version < 2 { try cursor.skip(bytes.addressSize, "superblock") }
    let address = try cursor.unsigned("the root group", size: bytes.addressSize)
    guard let root = bytes.place(of: address) else { throw cursor.malformed("a root group", "none") }
    return (bytes, root)
  }

  /// What is found on the way through the groups.
  private struct Contents {
    let bytes: HDF5Bytes
    let attributeReader: HDF5AttributeReader
    var datasets: [HDF5Dataset] = []
    var attributes: [String: [String: HDF5Attribute]] = [:]
    /// Groups that were entered: links may lead back.
    var entered: Set<Int> = []

    init(bytes: HDF5Bytes) {
      self.bytes = bytes
      attributeReader = HDF5AttributeReader(bytes: bytes, texts: HDF5Texts(bytes))
    }

    /// Adds the object whose header is at a place, and what is below it.
    mutating func add(_ place: Int, path: String, depth: Int) throws(WeightFileError) {
      guard !entered.contains(place) else { return }
      let header = try HDF5ObjectHeader(at: place, of: bytes)
      let its = try attributeReader.attributes(of: header)
      if !its.isEmpty { attributes[path] = its }
      if let group = try HDF5Group(header, of: bytes) {
        entered.insert(place)
        for link in group.links {
          let inner = path.isEmpty ? link.name : "\(path)/\(link.name)"
          let length = inner.utf8.count
          guard depth < HDF5File.deepest, length <= HDF5File.longestPath else {
            throw .malformed(
              path: bytes.file.path, place: "byte \(place)",
              expected: "groups \(HDF5File.deepest) deep, paths of \(HDF5File.longestPath) bytes",
              found: "\(depth + 1) deep, \(length) bytes")
          }
          try bytes.spend(length, at: place)
          try add(link.place, path: inner, depth: depth + 1)
        }
      } else if let dataset = try HDF5Dataset(name: path, header, attributes: its, of: bytes) {
        datasets.append(dataset)
      }
    }
  }
}

internal import Support

/// An image as a data set names it.
public struct NamedImage: Sendable {
  /// Its file's path, and its name in the folder of images, as the caption file has it.
  public let path, fileName: String
  /// Its id in that file; nil: it has none.
  public let id: ImageID?

  /// An image.
  public init(path: String, fileName: String, id: ImageID? = nil) {
    self.path = path
    self.fileName = fileName
    self.id = id
  }

  /// An image that somebody calls by name or id.
  public init(called name: String) { self.init(path: name, fileName: name, id: ImageID(name)) }

  /// An image of a data set.
  public init(_ image: CaptionedImage) {
    self.init(path: image.path, fileName: image.fileName, id: image.fileID)
  }
}

/// Finds images among the names that a file of features gives them: the same name; a path of other folders that ends as the
/// image's does (`features/val/1.jpg` for `val/1.jpg` in `photos`); the same without what follows the last point
/// (`1.npy`); the image's id.
struct FeatureNames {
  /// What an image's name leads to.
  enum Match: Equatable {
    case none, row(Int), ambiguous
  }

  private let rows: [ExactName: Int]
  private let whole, stems: Ends

  /// - Parameter names: none twice.
  init(_ names: [String]) {
    rows = Dictionary(names.enumerated().map { (ExactName($0.element), $0.offset) }) { first, _ in first }
    whole = Ends(names)
    stems = Ends(names.map(Self.stem))
  }

  func row(of image: NamedImage) -> Match {
    for name in [image.path, image.fileName] {
      if let row = rows[ExactName(name)] { return .row(row) }
    }
    let match = whole.row(of: image.path, fileName: image.fileName)
    if match != .none { return match }
    let stem = stems.row(of: Self.stem(image.path), fileName: Self.stem(image.fileName))
    if stem != .none { return stem }
    return image.id.flatMap { rows[ExactName($0.description)] }.map { .row($0) } ?? .none
  }

  /// A name without what follows its last point, if that is letters and digits as those of kinds of files are.
  static func stem(_ name: String) -> String {
    let scalars = name.unicodeScalars
    guard let point = scalars.lastIndex(of: "."), point > scalars.startIndex else { return name }
    let kind = scalars[scalars.index(after: point)...]
    let isASCII = kind.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
    }
    guard (1...5).contains(kind.count), isASCII, kind.contains(where: \.properties.isAlphabetic),
      scalars[scalars.index(before: point)] != "/"
    else { return name }
    return String(scalars[..<point])
  }

  /// Names by the folders and names that they end in.
  private struct Ends {
    /// How many of them are looked at.
    private static let most = 6
    private static let several = -1
    /// The row of each end that one name has.
    private var rows: [ExactName: Int] = [:]
    /// How many parts each name has.
    private var counts: [Int] = []

    init(_ names: [String]) {
      for (row, name) in names.enumerated() {
        let parts = Self.parts(name)
        counts.append(parts.count)
        for end in Self.ends(parts) { rows[end] = rows[end] == nil ? row : Self.several }
      }
    }

    /// The row whose name ends as a path does: with the whole name in the folder of images, or with all that it has.
    func row(of path: String, fileName: String) -> Match {
      let parts = Self.parts(path)
      let needed = Self.parts(fileName).count
      let ends = Self.ends(parts)
      guard let place = ends.lastIndex(where: { rows[$0] != nil }), let row = rows[ends[place]] else {
        return .none
      }
      if row == Self.several { return .ambiguous }
      return place + 1 >= needed || counts[row] == place + 1 ? .row(row) : .none
    }

    private static func parts(_ name: String) -> [Substring.UTF8View.SubSequence] {
      name.utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
    }

    /// The ends of a name, the shortest first.
    private static func ends(_ parts: [Substring.UTF8View.SubSequence]) -> [ExactName] {
      (1...most).prefix { $0 <= parts.count }.map { count in
        ExactName(parts.suffix(count).map { String(Substring($0)) }.joined(separator: "/"))
      }
    }
  }
}

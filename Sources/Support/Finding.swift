/// Something that is wrong with a file or a data set, for people and programs: what, where, and what to do about it.
public struct Finding: Sendable, Equatable, Encodable {
  /// What is wrong.
  public struct Kind: Sendable, Hashable {
    /// For programs: `missing_image`.
    public let name: String
    /// For people, as the title of all of the kind: `missing images`.
    public let title: String
    /// What helps.
    public let remedy: String
    /// Whether it is only worth knowing: nothing is lost by it.
    public let isNote: Bool

    /// A kind.
    public init(_ name: String, _ title: String, remedy: String, isNote: Bool = false) {
      self.name = name
      self.title = title
      self.remedy = remedy
      self.isNote = isNote
    }
  }

  /// What is wrong.
  public let kind: Kind
  /// Where: a file, or a file and a place in it.
  public let place: String
  /// What was found there.
  public let problem: String
  /// What to do.
  public let remedy: String
  /// The path of the image to leave out, if leaving it out helps.
  public let image: String?

  /// A finding.
  /// - Parameter remedy: what helps here; what helps with all of the kind unless given.
  public init(
    _ kind: Kind, at place: String, _ problem: String, remedy: String? = nil, image: String? = nil
  ) {
    self.kind = kind
    self.place = place
    self.problem = problem
    self.remedy = remedy ?? kind.remedy
    self.image = image
  }

  /// The same of an error's line, which begins with the place.
  public init(_ kind: Kind, at place: String, line: String, remedy: String? = nil, image: String? = nil) {
    let isPrefixed = line.hasPrefix(place + ": ")
    self.init(
      kind, at: place, isPrefixed ? String(line.dropFirst(place.count + 2)) : line, remedy: remedy,
      image: image)
  }

  private enum CodingKeys: String, CodingKey { case kind, severity, place, problem, remedy, image }

  /// Writes kind, severity (`problem` or `note`), place, problem, remedy, and the image if there is one.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind.name, forKey: .kind)
    try container.encode(kind.isNote ? "note" : "problem", forKey: .severity)
    try container.encode(place, forKey: .place)
    try container.encode(problem, forKey: .problem)
    try container.encode(remedy, forKey: .remedy)
    try container.encodeIfPresent(image, forKey: .image)
  }
}

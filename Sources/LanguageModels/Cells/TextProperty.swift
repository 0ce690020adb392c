/// Something about each character of a text that has a name, and that a reader who has seen the text up to there, and not
/// what comes, can know: what cells of a language model may keep track of (Karpathy, Johnson & Li 2015).
public struct TextProperty: Sendable, Equatable {
  /// For instance `inside "quotes"`.
  public let name: String
  /// Its value once each character has been read [T].
  public let values: [Float]
  /// Whether it is 0 or 1.
  public let isBinary: Bool

  /// A property that was found elsewhere.
  public init(name: String, values: [Float], isBinary: Bool) {
    self.name = name
    self.values = values
    self.isBinary = isBinary
  }

  /// All that are looked for, of a text [T].
  public static func all(of text: [Unicode.Scalar]) -> [TextProperty] {
    var marks = Markup()
    var columns = [[Float]](repeating: [], count: Markup.properties.count + Self.keywords.count)
    for column in columns.indices { columns[column].reserveCapacity(text.count) }
    var words = Keywords(Self.keywords)
    for scalar in text {
      marks.read(scalar)
      for (column, property) in Markup.properties.enumerated() {
        columns[column].append(property.value(marks))
      }
      words.read(scalar)
      for (number, isAfter) in words.isAfter.enumerated() {
        columns[Markup.properties.count + number].append(isAfter ? 1 : 0)
      }
    }
    let names =
      Markup.properties.map { ($0.name, $0.isBinary) }
      + Self.keywords.map { ("after `\($0)` in the line", true) }
    return zip(names, columns).map { TextProperty(name: $0.0, values: $1, isBinary: $0.1) }
  }

  /// The words that are looked for.
  static let keywords = [
    "if", "for", "while", "return", "func", "def", "class", "struct", "import", "let", "var", "case", "guard",
  ]
}

/// Where a reader is: what is open, and how far things are back.
private struct Markup {
  struct Property: Sendable {
    let name: String
    let isBinary: Bool
    let value: @Sendable (Markup) -> Float
  }

  /// The longest distance, and the deepest nesting, that is told apart.
  private static let most = 1000

  static let properties: [Property] = [
    flag("inside \"quotes\"") { $0.isInDoubleQuotes },
    flag("inside 'quotes'") { $0.isInSingleQuotes },
    flag("inside `backticks`") { $0.isInBackticks },
    flag("inside (parentheses)") { $0.parentheses > 0 },
    flag("inside [brackets]") { $0.squares > 0 },
    flag("inside <a tag>") { $0.isInTag },
    flag("in a comment after //") { $0.comment == .slashes },
    flag("in a comment after #") { $0.comment == .hash },
    flag("in a comment /* … */") { $0.comment == .block },
    flag("in a web address") { $0.isInAddress },
    flag("inside a word") { $0.wordPosition > 0 },
    flag("in a word with a capital") { $0.isCapitalised },
    flag("in a number") { $0.isInNumber },
    number("position in the line") { $0.linePosition },
    number("position in the word") { $0.wordPosition },
    number("position in the sentence") { $0.sentencePosition },
    number("position in the paragraph") { $0.paragraphPosition },
    number("indentation of the line") { $0.indentation },
    number("depth of brackets") { $0.parentheses + $0.squares + $0.braces },
    number("depth of {braces}") { $0.braces },
  ]

  private static func flag(_ name: String, _ value: @escaping @Sendable (Markup) -> Bool) -> Property {
    Property(name: name, isBinary: true) { value($0) ? 1 : 0 }
  }

  private static func number(_ name: String, _ value: @escaping @Sendable (Markup) -> Int) -> Property {
    Property(name: name, isBinary: false) { Float(min(most, value($0))) }
  }

  enum Comment { case none, slashes, hash, block }

  private var before: Unicode.Scalar = "\n"
  private var beforeThat: Unicode.Scalar = "\n"
  private(set) var isInDoubleQuotes = false
  private(set) var isInSingleQuotes = false
  private(set) var isInBackticks = false
  private(set) var (parentheses, squares, braces) = (0, 0, 0)
  private(set) var isInTag = false
  private(set) var comment = Comment.none
  private(set) var isInAddress = false
  private(set) var isCapitalised = false
  private(set) var isInNumber = false
  private(set) var (linePosition, wordPosition, sentencePosition, paragraphPosition) = (0, 0, 0, 0)
  private(set) var indentation = 0
  private var isIndenting = true

  mutating func read(_ scalar: Unicode.Scalar) {
    readPlaces(scalar)
    readComments(scalar)
    readMarks(scalar)
    readWords(scalar)
    beforeThat = before
    before = scalar
  }

  private mutating func readPlaces(_ scalar: Unicode.Scalar) {
    paragraphPosition += 1
    sentencePosition += 1
    linePosition += 1
    if scalar == "\n" {
      if before == "\n" { endParagraph() }
      linePosition = 0
      indentation = 0
      isIndenting = true
      return
    }
    if ".!?".unicodeScalars.contains(scalar) { sentencePosition = 0 }
    guard isIndenting else { return }
    switch scalar {
    case " ": indentation += 1
    case "\t": indentation += 8
    default: isIndenting = false
    }
  }

  /// What is open across a blank line was no pair, but for braces and comments.
  private mutating func endParagraph() {
    paragraphPosition = 0
    sentencePosition = 0
    isInDoubleQuotes = false
    isInSingleQuotes = false
    parentheses = 0
    squares = 0
    isInTag = false
  }

  private mutating func readComments(_ scalar: Unicode.Scalar) {
    // https:// begins no comment.
    let beginsAddress = scalar == "/" && before == "/" && beforeThat == ":"
    switch (comment, before, scalar) {
    case (.none, _, _) where isInDoubleQuotes || beginsAddress: break
    case (.none, "/", "/"): comment = .slashes
    case (.none, "/", "*"): comment = .block
    case (.none, " ", "#"), (.none, "\n", "#"): comment = .hash
    case (.slashes, _, "\n"), (.hash, _, "\n"), (.block, "*", "/"): comment = .none
    default: break
    }
    if beginsAddress { isInAddress = true }
    if scalar.properties.isWhitespace || "\"'<>)".unicodeScalars.contains(scalar) { isInAddress = false }
  }

  private mutating func readMarks(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "\"": isInDoubleQuotes.toggle()
    case "“", "«": isInDoubleQuotes = true
    case "”", "»": isInDoubleQuotes = false
    case "'":
      // One within a word is an apostrophe.
      if isInSingleQuotes {
        isInSingleQuotes = false
      } else {
        isInSingleQuotes = !before.properties.isAlphabetic
      }
    case "`": isInBackticks.toggle()
    case "\n": isInBackticks = false
    case "(": parentheses = min(Self.most, parentheses + 1)
    case ")": parentheses = max(0, parentheses - 1)
    case "[": squares = min(Self.most, squares + 1)
    case "]": squares = max(0, squares - 1)
    case "{": braces = min(Self.most, braces + 1)
    case "}": braces = max(0, braces - 1)
    case ">": isInTag = false
    default:
      if before == "<" { isInTag = scalar.properties.isAlphabetic || scalar == "/" || scalar == "!" }
    }
  }

  private mutating func readWords(_ scalar: Unicode.Scalar) {
    isInNumber = ("0"..."9").contains(scalar) || (isInNumber && (scalar == "." || scalar == ","))
    guard scalar.properties.isAlphabetic else {
      wordPosition = 0
      isCapitalised = false
      return
    }
    if wordPosition == 0 { isCapitalised = scalar.properties.isUppercase }
    wordPosition += 1
  }
}

/// Which words have stood in the line.
private struct Keywords {
  private let words: [[Unicode.Scalar]]
  private(set) var isAfter: [Bool]
  private var word: [Unicode.Scalar] = []

  init(_ words: [String]) {
    self.words = words.map { Array($0.unicodeScalars) }
    isAfter = words.map { _ in false }
  }

  mutating func read(_ scalar: Unicode.Scalar) {
    if scalar == "\n" {
      for number in isAfter.indices { isAfter[number] = false }
      word = []
    } else if scalar.properties.isAlphabetic || scalar == "_" || ("0"..."9").contains(scalar) {
      // Longer ones are none of them.
      if word.count < 16 { word.append(scalar) }
    } else {
      if let number = words.firstIndex(of: word) { isAfter[number] = true }
      word = []
    }
  }
}

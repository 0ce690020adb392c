public import Datasets
public import Language
internal import Support
internal import Tensors

/// What a run learns from beside captions of photos; by default nothing.
public struct SideData {
  /// Sentences without photos, as word ids.
  public var text = EncodedCaptions()
  /// Photos with names.
  public var labels: LabelledSplit?
  /// Photos that a teacher has seen.
  public var scores: ScoredSplit?

  /// Nothing.
  public init() {}

  /// Names it; empty: there is nothing.
  var fingerprint: String {
    var parts: [String] = []
    if !text.isEmpty {
      var print = Fingerprint()
      for sentence in text {
        print.add(.max)
        for word in sentence { print.add(UInt64(bitPattern: Int64(word))) }
      }
      parts.append("text \(print.text)")
    }
    if let labels { parts.append("labels \(labels.fingerprint)") }
    if let scores { parts.append("scores \(scores.fingerprint)") }
    return parts.joined(separator: " ")
  }
}

/// Photos of one thing each, and what it is called.
public struct LabelledSplit {
  /// The photos.
  public let photos: any PhotoFeatures
  /// The label of each row, a place in `words`.
  public let labels: [Int32]
  /// The words of each label as they are written, none without; and their ids.
  let names: [[String]]
  let words: [[Int32]]
  /// The captions that are made of each label.
  let captions: [[[Int32]]]
  /// The rows whose features are there.
  let rows: [Int]

  /// Photos, a row and a label each, in words of the vocabulary.
  public init(_ photos: any PhotoFeatures, labels: [Int32], names: [[String]], vocabulary: Vocabulary) {
    precondition(labels.count == photos.names.count && names.allSatisfy { !$0.isEmpty })
    self.photos = photos
    self.labels = labels
    self.names = names
    words = names.map(vocabulary.encode)
    captions = names.map { name in
      (0..<LabelTemplates.count).map { vocabulary.encode(LabelTemplates.caption(of: name, $0)) }
    }
    rows = labels.indices.filter(photos.isThere)
  }

  /// Names the photos and their labels.
  var fingerprint: String {
    var print = Fingerprint()
    for row in rows {
      print.add(bytes: photos.names[row].utf8)
      print.add(bytes: names[Int(labels[row])].joined(separator: " ").utf8)
    }
    return print.text
  }
}

/// Photos that a teacher has seen, and its scores.
public struct ScoredSplit {
  /// The photos.
  public let photos: any PhotoFeatures
  /// A row of scores each.
  public let scores: TeacherScores
  /// The rows whose features are there.
  let rows: [Int]

  /// Photos in the order of the scores.
  public init(_ photos: any PhotoFeatures, _ scores: TeacherScores) {
    precondition(scores.names.count == photos.names.count)
    self.photos = photos
    self.scores = scores
    rows = scores.names.indices.filter(photos.isThere)
  }

  /// The scores of some rows [n, K].
  func scores(of rows: [Int]) -> Tensor { Tensor(rows.flatMap { scores[$0] }, [rows.count, scores.classes]) }

  /// Names the photos and their scores.
  var fingerprint: String {
    var print = Fingerprint()
    print.add(scores.fingerprint)
    for row in rows { print.add(UInt64(row)) }
    return print.text
  }
}

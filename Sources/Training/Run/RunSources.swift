internal import Datasets
internal import Language

/// What a run's files have beside captions: text, photos with labels, photos that a teacher has seen.
struct RunSources {
  /// Sentences without photos; nil: no file was named.
  let text: TokenizedCaptions?
  /// Photos with labels, in the order of their files.
  let labelled: [LabelledPhotos.Photo]
  /// Labelled photos that the table of names leaves out, and such whose label has no word.
  let leftOut: Int
  /// The words of each different label.
  let labelNames: [[String]]
  /// A teacher's scores; nil: no file was named.
  let scores: TeacherScores?

  /// The labelled photos, and those of the scores, if there are any.
  let labelledList, scoredList: PhotoList?
  /// The place in `labelNames` of each labelled photo's.
  private let labels: [Int32]
  private let configuration: TrainingConfiguration

  /// Reads them.
  /// - Throws: `DatasetError`.
  init(_ configuration: TrainingConfiguration) throws(DatasetError) {
    self.configuration = configuration
    text = configuration.text.isEmpty ? nil : try TokenizedCaptions(textFiles: configuration.text)
    var found = LabelledPhotos()
    if !configuration.labels.isEmpty {
      let names =
        configuration.labelNames.isEmpty ? LabelNames() : try LabelNames(path: configuration.labelNames)
      found = try LabelledPhotos(paths: configuration.labels, images: configuration.labelImages, names: names)
    }
    let tokenizer = Tokenizer()
    var (labelled, labels, labelNames) = ([LabelledPhotos.Photo](), [Int32](), [[String]]())
    var places: [String: Int32?] = [:]
    for photo in found.photos {
      if places[photo.label] == nil {
        let words = tokenizer.tokens(photo.label)
        places[photo.label] = .some(words.isEmpty ? nil : Int32(truncatingIfNeeded: labelNames.count))
        if !words.isEmpty { labelNames.append(words) }
      }
      guard case .some(.some(let place)) = places[photo.label] else { continue }
      labelled.append(photo)
      labels.append(place)
    }
    self.labelled = labelled
    self.labels = labels
    self.labelNames = labelNames
    leftOut = found.leftOut + found.photos.count - labelled.count
    labelledList =
      labelled.isEmpty
      ? nil
      : PhotoList(configuration.labels, labelled.map { ($0.folder, $0.fileName) }, role: PhotoList.labels)
    guard !configuration.teacherScores.isEmpty else {
      (scores, scoredList) = (nil, nil)
      return
    }
    let folder = configuration.teacherFolder
    let teacher = try TeacherScores(path: configuration.teacherScores, images: folder)
    scores = teacher
    scoredList = PhotoList(
      [configuration.teacherScores], teacher.names.map { (folder, $0) }, role: PhotoList.teacher)
  }

  /// Whether there is nothing.
  var isEmpty: Bool { text == nil && configuration.labels.isEmpty && scores == nil }

  /// The photos that are not captioned ones.
  var lists: [PhotoList] { [labelledList, scoredList].compactMap(\.self) }

  /// How often each word occurs beside captions; those of labels, and of what is made of them, so often that they are kept.
  var counts: [String: Int] {
    var counts = text?.counts ?? [:]
    let made = configuration.labelCaptions > 0 && !labelNames.isEmpty ? LabelTemplates.words : []
    for word in Set(labelNames.lazy.flatMap(\.self)).union(made) {
      counts[word, default: 0] += configuration.minimumCount
    }
    return counts
  }

  /// The words of captions that are so frequent, and of what is beside.
  func vocabulary(with captions: TokenizedCaptions) -> Vocabulary {
    Vocabulary(
      counts: captions.counts.merging(counts) { $0 + $1 }, minimumCount: configuration.minimumCount)
  }

  /// What there is, a line each.
  var notes: [String] {
    var notes: [String] = []
    if let text {
      notes.append("text: \(text.count) sentences, \(text.counts.values.reduce(0, +)) words")
    }
    if !configuration.labels.isEmpty {
      notes.append(
        "labels: \(labelled.count) photos of \(labelNames.count) things"
          + (leftOut > 0 ? ", \(leftOut) left out" : ""))
    }
    if let scores {
      notes.append("teacher: \(scores.names.count) photos, scores of \(scores.classes) classes")
    }
    return notes
  }

  /// The same in a run's words.
  /// - Parameter photos: what is learned from of some photos.
  /// - Throws: what `photos` throws.
  func data(
    _ vocabulary: Vocabulary, photos: (PhotoList) throws -> any PhotoFeatures
  ) throws -> SideData {
    var result = SideData()
    if let text {
      let limit = configuration.lengthLimit
      for sentence in text.encoded(by: vocabulary) {
        if let kept = limit.map({ $0(sentence) }) ?? sentence { result.text.append(kept) }
      }
    }
    if let labelledList {
      result.labels = LabelledSplit(
        try photos(labelledList), labels: labels, names: labelNames, vocabulary: vocabulary)
    }
    if let scores, let scoredList { result.scores = ScoredSplit(try photos(scoredList), scores) }
    return result
  }
}

extension TrainingConfiguration {
  /// The folder of the photos that a teacher has seen.
  var teacherFolder: String { self.teacherImages.isEmpty ? self.images.first ?? "" : self.teacherImages }

  /// The share of a step's sentences that are made of labels.
  /// - Parameter step: how many steps came before.
  func labelShare(step: Int) -> Double {
    guard self.labelCaptionsUntil > 0 else { return self.labelCaptions }
    return self.labelCaptions * max(0, 1 - Double(step) / Double(self.labelCaptionsUntil))
  }
}

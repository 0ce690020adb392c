internal import Foundation
internal import Training

/// What the model said of the same photos, epoch by epoch.
struct SampleCards {
  private let log: TrainingLog
  private let thumbnails: [String: String]

  /// - Parameter thumbnails: sources of pictures, by photo.
  init(_ log: TrainingLog, thumbnails: [String: String]) { (self.log, self.thumbnails) = (log, thumbnails) }

  /// Epochs one after the other with the same caption.
  struct Stretch: Equatable {
    let first: Int
    var last: Int
    let caption: String
    /// At the first and the last of them.
    let from: Double
    var to: Double
    var isBest: Bool
  }

  /// A card for each photo of the last epoch.
  var html: String { (log.epochs.last?.samples ?? []).map(\.image).map(card).joined() }

  /// A photo's captions in the order of the epochs.
  func stretches(of image: String) -> [Stretch] {
    let best = log.best?.epoch
    var result: [Stretch] = []
    for epoch in log.epochs {
      guard let said = epoch.samples.first(where: { $0.image == image }) else { continue }
      let isBest = epoch.epoch == best
      if let last = result.last, last.caption == said.caption {
        result[result.count - 1].last = epoch.epoch
        result[result.count - 1].to = said.log_prob
        result[result.count - 1].isBest = last.isBest || isBest
      } else {
        result.append(
          Stretch(
            first: epoch.epoch, last: epoch.epoch, caption: said.caption, from: said.log_prob,
            to: said.log_prob, isBest: isBest))
      }
    }
    return result
  }

  /// The most stretches on a card; of more the first third and the latest stay.
  private static let limit = 30

  private func card(_ image: String) -> String {
    let (stretches, file) = (stretches(of: image), image.split(separator: "/").last.map(String.init) ?? image)
    guard let latest = stretches.last else { return "" }
    let picture =
      thumbnails[image].map {
        "<img src=\"\(HTML.escaped($0))\" alt=\"Photo captioned: \(HTML.escaped(latest.caption))\">"
      } ?? "<div class=\"none\">no picture</div>"
    var rows: [String] = []
    for (number, stretch) in stretches.enumerated() {
      let isLeftOut =
        stretches.count > Self.limit && number >= Self.limit / 3
        && number < stretches.count - Self.limit * 2 / 3
      if isLeftOut {
        if number == Self.limit / 3 {
          rows.append("<li class=\"gap\">… \(stretches.count - Self.limit) other captions …</li>")
        }
        continue
      }
      rows.append(row(stretch, before: number > 0 ? stretches[number - 1] : nil))
    }
    let count = stretches.count
    return """
      <article class="card" aria-label="\(HTML.escaped(file))">\(picture)<div class="body">
      <p class="said">\(Self.text(latest.caption))</p>
      <ul class="facts"><li><b>\(HTML.number(latest.to, 2))</b> log-prob</li><li>epoch \(latest.last)</li></ul>
      <h3>\(count == 1 ? "The same in every epoch" : "\(count) captions so far")</h3>
      <ol class="history" tabindex="0" aria-label="Captions by epoch, the latest first">\(rows.reversed().joined())</ol>
      <p class="file">\(HTML.escaped(file))</p></div></article>

      """
  }

  private func row(_ stretch: Stretch, before: Stretch?) -> String {
    let epochs = stretch.first == stretch.last ? "\(stretch.first)" : "\(stretch.first)–\(stretch.last)"
    let words = Self.words(stretch.caption)
    let new = before.map { Self.new(words, after: Self.words($0.caption)) } ?? []
    let text = words.enumerated().map {
      let word = HTML.escaped($1)
      return new.contains($0) ? "<b>\(word)</b>" : word
    }
    // A caption that stays gets surer or less sure.
    let (from, to) = (HTML.number(stretch.from, 1), HTML.number(stretch.to, 1))
    let logProb = stretch.first == stretch.last || from == to ? to : "\(from) → \(to)"
    return "<li\(stretch.isBest ? " class=\"best\"" : "")><span class=\"when\">epoch \(epochs)"
      + (stretch.isBest ? " <abbr title=\"the best epoch\">★</abbr>" : "")
      + "</span> <span class=\"sure\">\(logProb)</span> "
      + "<span>\(text.isEmpty ? Self.text("") : text.joined(separator: " "))</span></li>"
  }

  private static func text(_ caption: String) -> String {
    caption.isEmpty ? "<i>nothing</i>" : HTML.escaped(caption)
  }

  private static func words(_ caption: String) -> [String] { caption.split(separator: " ").map(String.init) }

  /// Places of the words that are not part of the longest common subsequence with what was said before.
  static func new(_ words: [String], after before: [String]) -> Set<Int> {
    // Longer than any caption the model gives.
    guard !words.isEmpty, !before.isEmpty, words.count <= 100, before.count <= 100 else { return [] }
    var longest = [[Int]](
      repeating: [Int](repeating: 0, count: before.count + 1), count: words.count + 1)
    for i in words.indices.reversed() {
      for j in before.indices.reversed() {
        longest[i][j] =
          words[i] == before[j] ? longest[i + 1][j + 1] + 1 : max(longest[i + 1][j], longest[i][j + 1])
      }
    }
    var (i, j, result) = (0, 0, Set<Int>())
    while i < words.count {
      if j < before.count, words[i] == before[j] {
        (i, j) = (i + 1, j + 1)
      } else if j < before.count, longest[i][j + 1] >= longest[i + 1][j] {
        j += 1
      } else {
        result.insert(i)
        i += 1
      }
    }
    return result
  }
}

internal import Foundation
public import Imaging
public import Language
public import Models

/// A photo, what was said of it, and where the model looked for each word.
public struct ExplainedPhoto: Sendable {
  /// Its file.
  public let path: String
  /// As the model saw it.
  public let image: RGBImage
  /// What was said.
  public let caption: Caption
  /// Where the model looked; a grid for each word of the caption.
  public let explanation: Explanation

  /// A photo.
  public init(path: String, image: RGBImage, caption: Caption, explanation: Explanation) {
    self.path = path
    self.image = image
    self.caption = caption
    self.explanation = explanation
  }

  /// A word, and where the model looked for it.
  struct Look {
    /// As people should read it.
    let word: String
    /// How likely the word was, and how much the brightest cell counts.
    let facts: String
    /// Of each cell, row by row, beside the brightest one: 0 to 1.
    let brightness: [Float]
  }

  /// How much of the light a cell of no brightness loses.
  static let darkest: Float = 0.78

  /// The words in order.
  var looks: [Look] {
    zip(caption.words, explanation.weights).enumerated().map { place, pair in
      let (word, weights) = pair
      let isEnd = place == caption.words.count - 1 && word.word == "</s>"
      let most = weights.max() ?? 0
      let label =
        explanation.kind == .occlusion
        ? String(format: "%.1f nats", Double(most)) : String(format: "%.0f %% at most", Double(most) * 100)
      return Look(
        word: isEnd ? "(end)" : word.word,
        facts: String(format: "%.0f %%, ", exp(Double(word.logProb)) * 100) + label,
        brightness: weights.map { most > 0 ? $0 / most : 0 })
    }
  }

  /// The name of its file.
  var name: String { path.split(separator: "/").last.map(String.init) ?? path }
}

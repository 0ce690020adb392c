internal import Datasets
internal import Evaluation
internal import Foundation
public import CaptionMetrics
internal import Support

/// The lines of `log.jsonl`; their keys are a contract with other programs.
public enum TrainingRecord {
  /// The first step and every fiftieth.
  public struct Step: Codable, Sendable, Equatable {
    /// Steps taken, and the epoch under way, from 1.
    public let step, epoch: Int
    /// Nats per word; the L2 norm of the gradient before clipping; the step size.
    public let loss, gradient_norm, learning_rate: Double
    /// Probability that a word is followed by the true one (scheduled sampling); 1: teacher forcing.
    public let epsilon: Double
    /// Nats a word of text, a photo to be named, and a photo that a teacher has seen (T² times the divergence); absent
    /// without.
    public var text_loss, label_loss, teacher_loss: Double?
  }

  /// Every fiftieth and the last step of what comes before the captions.
  public struct Preparation: Codable, Sendable, Equatable {
    /// What is learned: `teacher` or `text`.
    public let preparation: String
    /// Steps taken of it.
    public let step: Int
    /// Its loss, as in `Step`, and the step size.
    public let loss, learning_rate: Double
  }

  /// The end of an epoch.
  public struct Epoch: Codable, Sendable, Equatable {
    /// The epoch, from 1, and steps taken.
    public let epoch, step: Int
    /// Nats per word, in training under dropout and teacher forcing.
    public let training_loss: Double
    /// What validation found.
    public let validation: Scores
    /// Step size and probability of the true word after the epoch.
    public let learning_rate, epsilon: Double
    /// Mean CIDEr-D of the captions drawn in self-critical training; absent without it.
    public let reward: Double?
    /// Whether this is the best epoch so far.
    public let best: Bool
    /// Seconds spent, in all sittings.
    public let seconds: Double
    /// What the model says of the first few validation images.
    public let samples: [Validation.Spoken]

    /// One line for people.
    public var line: String {
      String(
        format:
          "epoch %d: training loss %.4f, validation loss %.4f (perplexity %.2f), BLEU-4 %.1f %%, CIDEr %.1f %%%@%@, %@",
        epoch, training_loss, validation.loss, validation.perplexity, 100 * validation.bleu4,
        100 * validation.cider,
        validation[.meteor].map { String(format: ", METEOR %.1f %%", 100 * $0) } ?? "",
        best ? ", best so far" : "",
        [
          String(format: "learning rate %g", learning_rate),
          epsilon < 1 ? String(format: "true words %.0f %%", 100 * epsilon) : nil,
          reward.map { String(format: "reward (CIDEr-D) %.1f %%", 100 * $0) }, ProgressLine.duration(seconds),
        ].compactMap(\.self).joined(separator: ", "))
    }
  }
}

internal import Foundation
internal import Support

/// The lines of a language model's `log.jsonl`; their keys are a contract with other programs.
public enum LanguageModelRecord {
  /// The first step and every hundredth, or as many as are asked for.
  public struct Step: Codable, Sendable, Equatable {
    /// Steps taken, and the epoch under way, from 1.
    public let step, epoch: Int
    /// Nats a token; and their moving average, of which each step is a thousandth, from ln V at first.
    public let loss, smooth_loss: Double
    /// The L2 norm of the gradient before clipping; the step size.
    public let gradient_norm, learning_rate: Double
  }

  /// A validation, or the end of an epoch where there is no text to validate on.
  public struct Validation: Codable, Sendable, Equatable {
    /// The epoch, from 1, and steps taken.
    public let epoch, step: Int
    /// Nats a token in training since the last of these lines.
    public let training_loss: Double
    /// Of held-out text: nats a token, bits a character or word, and 2 to the power of these; absent without.
    public let validation_loss, bits_per_token, perplexity: Double?
    /// Whether it is the best so far.
    public let best: Bool
    /// The step size.
    public let learning_rate: Double
    /// Seconds spent, in all sittings.
    public let seconds: Double

    /// One line for people.
    public func line(_ unit: TextUnit) -> String {
      var parts = [String(format: "epoch %d, step %d: training loss %.4f", epoch, step, training_loss)]
      if let bits_per_token, let perplexity {
        parts.append(String(format: "held out %.4f bits a %@", bits_per_token, unit.singular))
        if unit == .words { parts.append(String(format: "perplexity %.2f", perplexity)) }
      }
      if best { parts.append("best so far") }
      return (parts + [ProgressLine.duration(seconds)]).joined(separator: ", ")
    }
  }
}

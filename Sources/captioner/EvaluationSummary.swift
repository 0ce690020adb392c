import Captioning
import Evaluation
import Foundation

/// What `evaluate` prints: one JSON object, or a table for people.
struct EvaluationSummary: Encodable {
  let scores: Evaluation.Scores
  let seconds: Double
  let confidence: ConfidenceReport?
  let retrieval: Retrieval?
  let sweep: [SweepPoint]?

  /// Numbers by pycocoevalcap's names where it has them.
  private var numbers: [String: Double] {
    var numbers = [
      "ROUGE_L": scores.rougeL, "CIDEr": scores.cider, "perplexity": scores.perplexity, "loss": scores.loss,
      "loss_shuffled_images": scores.shuffledLoss, "word_top_1": scores.wordsFirst,
      "word_top_5": scores.wordsAmongFive, "mean_log_prob": scores.meanLogProb,
      "mean_normalized_log_prob": scores.meanNormalizedLogProb, "mean_length": scores.meanLength,
      "distinct": scores.distinct, "distinct_1": scores.distinctWords, "distinct_2": scores.distinctPairs,
      "images": Double(scores.images), "seconds": seconds,
      "images_per_second": Double(scores.images) / max(seconds, 1e-9),
    ]
    for (index, value) in scores.bleu.enumerated() { numbers["Bleu_\(index + 1)"] = value }
    for (name, interval) in scores.intervals {
      numbers[name + "_low"] = interval.lowerBound
      numbers[name + "_high"] = interval.upperBound
    }
    if let confidence {
      numbers["confidence_threshold"] = confidence.threshold
      numbers["confidence_base_rate"] = confidence.reliability.baseRate
      numbers["confidence_ECE"] = confidence.reliability.expectedCalibrationError
      numbers["confidence_AUC"] = confidence.reliability.auc
      numbers["confidence_Brier"] = confidence.reliability.brierScore
    }
    return numbers
  }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct RetrievalObject: Encodable {
    let images, captions: Int
    let caption_to_image, image_to_caption, image_to_caption_total,
      image_to_caption_per_word: [String: Double]

    init(_ retrieval: Retrieval) {
      func object(_ recall: Retrieval.Recall?) -> [String: Double] {
        guard let recall else { return [:] }
        return ["R@1": recall.at1, "R@5": recall.at5, "R@10": recall.at10, "median_rank": recall.medianRank]
      }
      (images, captions) = (retrieval.images, retrieval.captions)
      caption_to_image = object(retrieval.captionToImage)
      image_to_caption = object(retrieval.imageToCaption[.information])
      image_to_caption_total = object(retrieval.imageToCaption[.total])
      image_to_caption_per_word = object(retrieval.imageToCaption[.perWord])
    }
  }

  private struct SweepObject: Encodable {
    let beam_width: Int
    let length_normalization: String
    let Bleu_1, Bleu_2, Bleu_3, Bleu_4, ROUGE_L, CIDEr: Double
    let mean_log_prob, mean_length, distinct, seconds, images_per_second: Double

    init(_ point: SweepPoint) {
      beam_width = point.options.beamWidth
      length_normalization = point.options.lengthNormalization.name
      (Bleu_1, Bleu_2, Bleu_3, Bleu_4) = (point.bleu[0], point.bleu[1], point.bleu[2], point.bleu[3])
      (ROUGE_L, CIDEr, mean_log_prob) = (point.rougeL, point.cider, point.meanLogProb)
      (mean_length, distinct, seconds) = (point.meanLength, point.distinct, point.seconds)
      images_per_second = point.imagesPerSecond
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (name, value) in numbers { try container.encode(value, forKey: Key(stringValue: name)) }
    if let retrieval {
      try container.encode(RetrievalObject(retrieval), forKey: Key(stringValue: "retrieval"))
    }
    if let sweep { try container.encode(sweep.map(SweepObject.init), forKey: Key(stringValue: "sweep")) }
  }
}

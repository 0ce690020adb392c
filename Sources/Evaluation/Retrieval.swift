internal import Foundation
internal import Support
public import Tensors

/// Finding images by captions and captions by images through ln p(caption | image), as LRCN does (Donahue et al. 2015),
/// among N images and their C captions.
///
/// The rank of what belongs together is 1 + the number of others that score at least as well: ties count against it.
public struct Retrieval: Sendable, Equatable {
  /// How high the right ones come.
  public struct Recall: Sendable, Equatable {
    /// The share of queries whose right answer is among the first 1, 5 and 10.
    public let at1, at5, at10: Double
    /// The median rank of the best right answer.
    public let medianRank: Double

    init(_ ranks: [Int]) {
      func share(_ limit: Int) -> Double { Double(ranks.count { $0 <= limit }) / Double(max(1, ranks.count)) }
      (at1, at5, at10) = (share(1), share(5), share(10))
      medianRank = ranks.map(Double.init).median
    }
  }

  /// What captions are ranked by for an image. For images, given a caption, all come to the same.
  public enum Normalization: String, Sendable, CaseIterable {
    /// ln p(c | i): captions that are likely of any image, short ones above all, come first.
    case total
    /// The same per word.
    case perWord = "per_word"
    /// ln p(c | i) − ln p(c) with p(c) = Σᵢ p(c | i) / N: what the image adds (Mao et al. 2015).
    case information
  }

  /// N and C.
  public let images, captions: Int
  /// Given a caption, find its image.
  public let captionToImage: Recall
  /// Given an image, find any of its captions.
  public let imageToCaption: [Normalization: Recall]
  /// The rank of each caption among all for its own image, by `information`, [C].
  public let captionRanks: [Int]

  /// Ranks all pairs.
  /// - Parameters:
  ///   - logProbs: ln p of each caption for each image [N, C].
  ///   - owners: the image of each caption [C].
  ///   - words: the words of each caption, the end token counted [C].
  public init(_ logProbs: Tensor, owners: [Int], words: [Int]) {
    let (images, captions) = (logProbs.shape[0], logProbs.shape[1])
    precondition(owners.count == captions && words.count == captions && owners.allSatisfy { $0 < images })
    self.images = images
    self.captions = captions
    let rows = (0..<images).map { logProbs.row($0).scalars }
    captionToImage = Recall(
      owners.enumerated().map { caption, owner in
        Self.rank(of: owner, in: rows.map { $0[caption] }, where: { $0 != owner })
      })
    let marginals = (0..<captions).map { caption in Self.logMean(rows.map { $0[caption] }) }
    var recalls: [Normalization: Recall] = [:]
    var captionRanks = [Int](repeating: 0, count: captions)
    for normalization in Normalization.allCases {
      var best = [Int](repeating: .max, count: images)
      for (image, row) in rows.enumerated() {
        let scores = row.enumerated().map { caption, value in
          switch normalization {
          case .total: value
          case .perWord: value / Float(words[caption])
          case .information: Float(Double(value) - marginals[caption])
          }
        }
        // An image's other captions are no competitors.
        for caption in owners.indices where owners[caption] == image {
          let rank = Self.rank(of: caption, in: scores) { owners[$0] != image }
          best[image] = min(best[image], rank)
          if normalization == .information { captionRanks[caption] = rank }
        }
      }
      recalls[normalization] = Recall(best.filter { $0 < .max })
    }
    imageToCaption = recalls
    self.captionRanks = captionRanks
  }

  private static func rank(of right: Int, in scores: [Float], where competes: (Int) -> Bool) -> Int {
    let own = scores[right]
    return 1 + scores.indices.count { !(scores[$0] < own) && competes($0) }
  }

  /// ln of the mean of eˣ.
  private static func logMean(_ x: [Float]) -> Double {
    let highest = Double(x.max() ?? 0)
    guard highest.isFinite else { return highest }
    return highest + log(x.reduce(0) { $0 + exp(Double($1) - highest) } / Double(max(1, x.count)))
  }
}

extension Retrieval: Encodable {
  private enum Key: String, CodingKey {
    case images, captions
    case captionToImage = "caption_to_image"
    case information = "image_to_caption"
    case total = "image_to_caption_total"
    case perWord = "image_to_caption_per_word"
  }

  /// Writes `{"images": …, "captions": …, "caption_to_image": {"R@1": …, …, "median_rank": …}, "image_to_caption": …}`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(images, forKey: .images)
    try container.encode(captions, forKey: .captions)
    try container.encode(captionToImage, forKey: .captionToImage)
    try container.encode(imageToCaption[.information], forKey: .information)
    try container.encode(imageToCaption[.total], forKey: .total)
    try container.encode(imageToCaption[.perWord], forKey: .perWord)
  }
}

extension Retrieval.Recall: Encodable {
  private enum CodingKeys: String, CodingKey {
    case at1 = "R@1"
    case at5 = "R@5"
    case at10 = "R@10"
    case medianRank = "median_rank"
  }
}

import Tensors
import Testing

@testable import Evaluation

@Suite struct RetrievalTests {
  /// Three images of two captions; caption 5 is likely of every image.
  private static let logProbs = Tensor(
    [
      -1, -4, -6, -9, -9, -2,
      -5, -6, -2, -3, -8, -2,
      -9, -9, -7, -7, -4, -1,
    ], [3, 6])

  @Test func ranksAndNormalizations() {
    let retrieval = Retrieval(Self.logProbs, owners: [0, 0, 1, 1, 2, 2], words: [1, 2, 1, 2, 2, 1])
    #expect(retrieval.captionToImage.at1 == 1)
    // Image 1's best caption ties with caption 5, which is another's: second place.
    let total = retrieval.imageToCaption[.total]!
    #expect(total.at1 == 2.0 / 3 && total.at5 == 1 && total.medianRank == 1)
    // Per word image 1 has -2 and -1.5, and wins.
    #expect(retrieval.imageToCaption[.perWord]!.at1 == 1)
    // What every image says tells nothing.
    #expect(retrieval.imageToCaption[.information]!.at1 == 1)
    #expect(retrieval.captionRanks == [1, 1, 1, 1, 1, 1])
  }

  @Test func aModelThatDoesNotLookFindsNothing() {
    let same = Tensor(repeating: -3, [20, 20])
    let retrieval = Retrieval(same, owners: Array(0..<20), words: [Int](repeating: 4, count: 20))
    for recall in [retrieval.captionToImage] + retrieval.imageToCaption.values {
      #expect(recall.at1 == 0 && recall.at10 == 0 && recall.medianRank == 20)
    }
    let never = Tensor(repeating: -.infinity, [2, 2])
    #expect(Retrieval(never, owners: [0, 1], words: [1, 1]).imageToCaption[.information]!.medianRank == 2)
  }
}

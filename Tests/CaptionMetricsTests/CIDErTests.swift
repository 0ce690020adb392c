import Foundation
import CaptionMetrics
import Testing

private let references: [[[Int32]]] = [
  [[4, 5, 6, 7], [4, 5, 8]], [[4, 9, 10], [4, 9, 6, 11]], [[12, 13, 6]],
]

/// By hand: only the words 4 and 5 of the candidate are in the reference; 5 is in one image of three, 4 in two.
@Test func ciderByHand() {
  let frequencies = CIDEr.DocumentFrequencies(references)
  let score = frequencies.score([4, 14, 5], frequencies.vectors([[4, 5, 8]]))
  let (four, rare) = (log(1.5), log(3.0))
  let product = four * four + rare * rare
  let norms = (four * four + 2 * rare * rare)
  #expect(abs(score - 10 * product / norms / 4) < 1e-12)
}

/// The whole-set score is the mean of what captions score one by one, whatever numbers words have.
@Test func ciderOfTheSetIsThatOfItsCaptions() {
  let candidates: [[Int32]] = [[4, 5, 6], [4, 9, 10, 99], []]
  func samples(_ spelled: (Int32) -> String) -> [Sample] {
    zip(candidates, references).map {
      Sample(candidate: $0.map(spelled), references: $1.map { $0.map(spelled) })
    }
  }
  let whole = CaptionStatistics(samples { "w\($0)" }, by: [CIDEr.self])
  for offset: Int32 in [0, -4, .min, 1_000_000] {
    func moved(_ words: [Int32]) -> [Int32] { words.map { $0 &+ offset } }
    let frequencies = CIDEr.DocumentFrequencies(references.map { $0.map(moved) })
    for (index, candidate) in candidates.enumerated() {
      let vectors = frequencies.vectors(references[index].map(moved))
      #expect(abs(frequencies.score(moved(candidate), vectors) - whole.sample(index)[0]) < 1e-12)
    }
  }
  #expect(abs(whole.corpus[0] - whole.perSample(.cider).reduce(0, +) / 3) < 1e-12)
}

/// A caption that is the only reference scores 10; repeating its rarest word does not help; nothing scores 0.
@Test func ciderRewardsAgreementAndClips() {
  let frequencies = CIDEr.DocumentFrequencies(references)
  let vectors = frequencies.vectors([[4, 5, 6, 7]])
  let perfect = frequencies.score([4, 5, 6, 7], vectors)
  #expect(abs(perfect - 10) < 1e-12)
  #expect(frequencies.score([4, 5, 6, 7, 7, 7, 7], vectors) < perfect)
  #expect(frequencies.score([7, 7, 7, 7], vectors) < 3)
  #expect(frequencies.score([], vectors) == 0)
  #expect(frequencies.score([50, 50, 51], vectors) == 0)
  #expect(frequencies.score([4, 5], frequencies.vectors([])) == 0)
  #expect(frequencies.score([4, 5], frequencies.vectors([[]])) == 0)
  #expect(CaptionStatistics([], by: [CIDEr.self]).corpus == [0])
}

@Test func ciderFromSeveralThreads() {
  let frequencies = CIDEr.DocumentFrequencies(references)
  let vectors = references.map(frequencies.vectors)
  let expected = frequencies.score([4, 5, 77, 6], vectors[0])
  DispatchQueue.concurrentPerform(iterations: 200) { _ in
    #expect(frequencies.score([4, 5, 77, 6], vectors[0]) == expected)
  }
}

import Kernels
import Language
import Support
import TestSupport
import Testing

@testable import Decoding

private func make(
  prefix: String = "", forced: [String] = [], forbidden: [String] = [], noRepeatNGram: Int = 0,
  lengths: ClosedRange<Int> = 0...20
) throws(ConstraintError) -> Constraints {
  guard let vocabulary = try? Vocabulary(words: TinyNetwork.words + ["-lrb-"]) else { return Constraints() }
  return try Constraints(
    prefix: prefix, forced: forced, forbidden: forbidden, noRepeatNGram: noRepeatNGram, lengths: lengths,
    vocabulary: vocabulary)
}

@Suite struct ConstraintsTests {
  @Test func textBecomesWords() throws {
    #expect(try make() == Constraints())
    #expect(
      try make(prefix: "A Dog,  runs!", forced: ["Snow", "cat snow"], forbidden: ["the", "-lrb-"])
        == Constraints(prefix: [4, 5, 7], forced: [11, 6], forbidden: [10, 12]))
    #expect(try make(prefix: "a -lrb-").prefix == [4, 12])
    #expect(try make(noRepeatNGram: -3).noRepeatNGram == 0)
  }

  @Test func unknownWordsAreNamed() {
    #expect(throws: ConstraintError.unknownWord("zebra", .prefix)) { try make(prefix: "a Zebra runs") }
    #expect(throws: ConstraintError.unknownWord("zebra", .forced)) { try make(forced: ["dog", "zebra"]) }
    #expect(throws: ConstraintError.unknownWord("zebra", .forbidden)) { try make(forbidden: ["Zebra"]) }
    // Neither special words nor nothing are words.
    for text in ["", " ", "...", "</s>", "<unk>", "<pad>", "<s>"] {
      #expect(throws: ConstraintError.self) { try make(forced: [text]) }
      #expect(throws: ConstraintError.self) { try make(forbidden: [text]) }
    }
    #expect(throws: ConstraintError.self) { try make(prefix: "?") }
    #expect(
      "\(ConstraintError.unknownWord("zebra", .forced))" == "\"zebra\" is not in the model's vocabulary")
  }

  @Test func contradictionsAreRefused() throws {
    #expect(throws: ConstraintError.forbidden("dog", .forced)) {
      try make(forced: ["dog"], forbidden: ["dog"])
    }
    #expect(throws: ConstraintError.forbidden("a", .prefix)) { try make(prefix: "a dog", forbidden: ["a"]) }
    #expect(throws: ConstraintError.tooLong(words: 3, maximum: 2)) {
      try make(prefix: "a dog runs", lengths: 0...2)
    }
    // A forced word in the prefix takes no room.
    #expect(throws: ConstraintError.tooLong(words: 3, maximum: 2)) {
      try make(prefix: "a dog", forced: ["dog", "snow"], lengths: 0...2)
    }
    #expect(try make(prefix: "a dog", forced: ["dog", "snow"], lengths: 0...3).forced == [5, 11])
    #expect(throws: ConstraintError.repeated("a dog")) { try make(prefix: "a dog a dog", noRepeatNGram: 2) }
    #expect(try make(prefix: "a dog a dog", noRepeatNGram: 3).prefix.count == 4)
    #expect(throws: ConstraintError.tooFewWords(8, minimum: 9)) {
      try make(forbidden: ["the"], noRepeatNGram: 1, lengths: 9...20)
    }
    #expect(try make(noRepeatNGram: 1, lengths: 9...20).noRepeatNGram == 1)
    #expect(throws: ConstraintError.tooFewWords(0, minimum: 1)) {
      try make(forbidden: Array(TinyNetwork.words.dropFirst(4)) + ["-lrb-"], lengths: 1...20)
    }
  }

  /// The words banned are those that would repeat an n-gram.
  @Test func bannedWordsRepeat() {
    var random = Random(seed: 5)
    for n in 1...4 {
      let constraints = Constraints(noRepeatNGram: n)
      for length in 0..<12 {
        var words: [Int32] = []
        while words.count < length {
          let banned = Set(constraints.banned(after: words))
          for word in 4..<Int32(7) { #expect(banned.contains(word) != constraints.allow(words + [word])) }
          guard let next = (4..<Int32(7)).filter({ !banned.contains($0) }).randomElement(using: &random)
          else {
            break
          }
          words.append(next)
        }
      }
    }
  }
}

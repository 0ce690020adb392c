import Foundation
import Language
import Testing

@Test func captionSumsItsWordsAndHidesTheEnd() {
  let caption = Caption(words: [
    .init(word: "a", logProb: -0.25), .init(word: "dog", logProb: -1), .init(word: "</s>", logProb: -0.5),
  ])
  #expect(caption.logProb == -1.75)
  #expect(caption.text == "a dog")
  #expect(Caption(words: []).text == "")
  #expect(Caption(words: [.init(word: "</s>", logProb: -3)]).text == "")
  #expect(Caption(words: [.init(word: "dog", logProb: -3)]).text == "dog")
}

@Test func captionIsWrittenAsTheCommandLinePromises() throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  let caption = Caption(words: [
    .init(word: "\"a\"", logProb: -0.5), .init(word: "</s>", logProb: -.infinity),
  ])
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  let json = String(decoding: try encoder.encode(caption), as: UTF8.self)
  let least = "-3.4028235e+38"
  #expect(
    json
      == #"{"caption":"\"a\"","log_prob":\#(least),"normalized_log_prob":\#(least),"words":[{"log_prob":-0.5,"word":"\"a\""},{"log_prob":\#(least),"word":"</s>"}]}"#
  )
}

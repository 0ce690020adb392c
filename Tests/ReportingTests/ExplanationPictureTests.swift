import Imaging
import Language
import Models
import TestSupport
import Testing

@testable import Reporting

@Suite struct ExplanationPictureTests {
  private static func photo(words: Int = 1, word: String = "dog") -> ExplainedPhoto {
    let spoken = Caption(words: [.init(word: word, logProb: -0.7)]).words
    let end = Caption(words: [.init(word: "</s>", logProb: -0.1)]).words
    return ExplainedPhoto(
      path: "x/photo.jpg",
      image: RGBImage(width: 20, height: 10, pixels: [UInt8](repeating: 200, count: 600)),
      caption: Caption(words: (0..<words).flatMap { _ in spoken } + end),
      explanation: Explanation(
        kind: .attention, rows: 1, columns: 2,
        weights: [[Float]](repeating: [0, 1], count: words + 1)))
  }

  /// The photo is there once a word, as bright as it was where the model looked, and dark elsewhere.
  @Test func isBrightWhereItLooked() {
    var picture = ExplanationPicture()
    picture.add(Self.photo())
    let image = picture.image
    let greys = stride(from: 0, to: image.pixels.count, by: 3).map { image.pixels[$0] }
    func count(_ grey: UInt8) -> Int { greys.count { $0 == grey } }
    // A quarter of the photo is beyond the middles of the outer cells.
    #expect(count(200) == 2 * 5 * 10 && count(43) + count(44) == 2 * 5 * 10)
    #expect(count(24) > 30 && count(96) > 30)
  }

  @Test func isWrittenAsPNG() throws {
    try withTemporaryFolder { folder in
      var picture = ExplanationPicture()
      picture.add(Self.photo(words: 8))
      try picture.write(to: folder + "/a.png")
      #expect(try RGBImage(contentsOf: folder + "/a.png") == picture.image)
    }
  }

  @Test func isFullAtItsLimit() {
    var picture = ExplanationPicture()
    for number in 0..<ExplanationPicture.limit + 2 {
      #expect(picture.isFull == (number >= ExplanationPicture.limit))
      picture.add(Self.photo())
    }
    let height = picture.image.height
    picture.add(Self.photo())
    #expect(picture.image.height == height)
  }

  /// Captions that would take more rows than a PNG has are left out.
  @Test func isNeverTooHighForAFile() {
    var picture = ExplanationPicture()
    for _ in 0..<20 { picture.add(Self.photo(words: 2_000)) }
    #expect(picture.image.png() != nil)
  }

  @Test func betweenMiddlesOfCellsItIsLinear() {
    func at(_ down: Float, _ right: Float) -> Float {
      ExplanationPicture.interpolated([0, 1, 2, 3], rows: 2, columns: 2, down, right)
    }
    #expect(
      at(0, 0) == 0 && at(0.25, 0.25) == 0 && at(0.5, 0.5) == 1.5 && at(1, 1) == 3 && at(0.25, 0.5) == 0.5)
  }

  @Test func linesBreakBetweenWordsAndShowNoControls() {
    #expect(ExplanationPicture.lines("a dog runs", width: 6 * 9) == ["a dog", "runs"])
    #expect(ExplanationPicture.lines("", width: 90) == [""])
    #expect(!ExplanationPicture.lines("\u{1B}[2J", width: 900)[0].contains("\u{1B}"))
  }
}

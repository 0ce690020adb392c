import Testing

@testable import CaptionMetrics

@Suite struct SynonymsTests {
  private func synonyms(_ words: [String], _ synsets: String, _ exceptions: String = "") throws -> Synonyms {
    func resource(_ text: String) -> METEORData.Resource {
      METEORData.Resource(path: "file", bytes: Array(text.utf8))
    }
    return try Synonyms(of: words, synsets: resource(synsets), exceptions: resource(exceptions))
  }

  @Test func setsAreThoseOfTheWordAndItsBase() throws {
    let synsets = "dog\n1 00000002\nbox\n3\nman\n4\nbe\n5\nglass\n6\ncity\n7\ndogs\n8\n"
    let words = ["dog", "dogs", "boxes", "men", "glass", "glasses", "cities", "is", "zebra"]
    let found = try synonyms(words, synsets, "man\nmen\nbe\nmen is\n")
    #expect(found.sets == [[1, 2], [1, 2, 8], [3], [4, 5], [6], [6], [7], [5], []])
    #expect(found.share(0, 1) && found.share(3, 7) && !found.share(0, 2) && !found.share(8, 8))
  }

  @Test func filesOfAnotherFormAreRefused() {
    #expect { try synonyms(["dog"], "dog\n1 x\n") } throws: {
      "\($0)" == "file, line 2: expected numbers of synonym sets, found `x`"
    }
    #expect { try synonyms(["dog"], "dog\n") } throws: {
      "\($0)" == "file, line 2: expected numbers of synonym sets, found the end"
    }
    #expect { try synonyms(["dog"], "", "a\nb\nc\n") } throws: {
      "\($0)" == "file, line 4: expected forms of the word before, found the end"
    }
  }
}

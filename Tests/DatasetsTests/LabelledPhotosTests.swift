import Foundation
import TestSupport
import Testing

@testable import Datasets

private func photos(
  _ labels: String, names: String? = nil
) throws -> (photos: [String], leftOut: Int) {
  try withTemporaryFolder { folder in
    let file = folder + "/labels"
    try labels.write(toFile: file, atomically: false, encoding: .utf8)
    var table = LabelNames()
    if let names {
      try names.write(toFile: folder + "/names", atomically: false, encoding: .utf8)
      table = try LabelNames(path: folder + "/names")
    }
    let found = try LabelledPhotos(paths: [file], images: [folder], names: table)
    #expect(found.photos.allSatisfy { $0.path == folder + "/" + $0.fileName })
    return (found.photos.map { "\($0.fileName): \($0.label)" }, found.leftOut)
  }
}

private func refusal(_ labels: String, names: String? = nil) -> String? {
  do {
    _ = try photos(labels, names: names)
    return nil
  } catch {
    let line = "\(error)"
    return line.components(separatedBy: "/").last?.components(separatedBy: ": ").dropFirst().joined(
      separator: ": ")
  }
}

@Suite struct LabelledPhotosTests {
  @Test func listsAndTablesAreRead() throws {
    let expected = ["1.jpg: crab", "b/2.jpg: beach wagon"]
    let json =
      #"[{"file_name": "1.jpg", "label": "Crab", "set": 3}, {"label": "beach_wagon ", "file_name": "b/2.jpg"}]"#
    #expect(try photos(json).photos == expected)
    #expect(try photos("file_name,label\n1.jpg,crab\nb/2.jpg,\"beach wagon\"\n").photos == expected)
    #expect(try photos("label\timage\ncrab\t1.jpg\nbeach wagon\tb/2.jpg").photos == expected)
  }

  @Test func fineNamesBecomeEverydayWords() throws {
    let table = "# made by hand\nbeach wagon\tcar\nHermit_Crab,crab\nslot\t-\nfoil\t\n"
    let json =
      #"[{"file_name": "1", "label": "beach_wagon"}, {"file_name": "2", "label": "hermit crab"}, "#
      + #"{"file_name": "3", "label": "slot"}, {"file_name": "4", "label": "foil"}, {"file_name": "5", "label": "dog"}]"#
    let found = try photos(json, names: table)
    #expect(found.photos == ["1: car", "2: crab", "5: dog"] && found.leftOut == 2)
  }

  @Test func whatIsWrongHasAPlace() {
    #expect(refusal(#"[{"file_name": "1.jpg"}]"#) == "[0].label is missing")
    #expect(
      refusal(#"[{"file_name": 3, "label": "x"}]"#)?.hasPrefix("[0].file_name: expected a string") == true)
    #expect(refusal("[]") == "the file: expected photos with labels, found none")
    #expect(refusal("[{")?.hasPrefix("not valid JSON") == true)
    #expect(
      refusal(#"[{"file_name": "1.jpg", "label": " "}]"#)
        == "[0]: expected a label of 1 to 256 bytes, found none")
    let outside = #"[{"file_name": "../1.jpg", "label": "x"}]"#
    #expect(throws: DatasetError.self) { _ = try photos(outside) }
    #expect(
      refusal("1.jpg,crab\n")
        == "line 1: expected the columns file_name and label, or a JSON list of objects with these keys, "
        + "found \"1.jpg,crab\"")
    #expect(refusal("file_name,label\n1.jpg\n") == "line 2: expected 2 fields, found 1")
    #expect(
      refusal("file_name,label\n1.jpg,\"x\n")
        == "line 2: expected 2 fields, found a quotation mark without its second")
    let good = #"[{"file_name": "1.jpg", "label": "x"}]"#
    #expect(
      refusal(good, names: "beach wagon\n")
        == "line 1: expected a name and its word, apart by a tab or a comma, found one field")
    #expect(
      refusal(good, names: "a\tb\nA\tc\n")
        == "line 2: expected one word for each name, found \"a\" as \"b\" and \"c\"")
    #expect(throws: DatasetError.self) {
      try LabelledPhotos(paths: ["a", "b", "c"], images: ["x", "y"])
    }
  }
}

@Suite struct LabelTemplatesTests {
  @Test(
    arguments: [
      ("crab", "a"), ("apple", "an"), ("hourglass", "an"), ("unicorn", "a"), ("umbrella", "an"),
      ("x-ray", "an"),
      ("uninhabited house", "an"), ("european fox", "a"), ("bus", "a"), ("glass", "a"), ("sunglasses", ""),
      ("pair of trousers", ""), ("lens", "a"), ("cactus", "a"), ("scissors", ""),
    ])
  func articlesAreRight(label: String, article: String) {
    let words = label.split(separator: " ").map(String.init)
    let named = article.isEmpty ? words : [article] + words
    #expect(LabelTemplates.caption(of: words, 0) == ["a", "photo", "of"] + named)
    #expect(LabelTemplates.caption(of: words, 1) == named)
  }
}

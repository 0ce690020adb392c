import Datasets
import Foundation
import TestSupport
import Testing

private let references = """
  {"images": [{"id": 5, "file_name": "val/a.jpg"}, {"id": "b_1", "file_name": "val/b.jpg"}],
   "annotations": [{"image_id": 5, "caption": "x"}, {"image_id": "b_1", "caption": "y"}]}
  """

private func read(_ results: String, about references: String) throws -> [CaptionResult] {
  try withTemporaryFolder { folder in
    try results.write(toFile: folder + "/results", atomically: false, encoding: .utf8)
    try references.write(toFile: folder + "/references", atomically: false, encoding: .utf8)
    return try CaptionResult.read(
      from: folder + "/results", about: ReferenceCaptions(path: folder + "/references"))
  }
}

@Test(arguments: [
  #"[{"file_name": "val/a.jpg", "caption": "one"}, {"image_id": "b_1", "caption": "two"}]"#,
  #"[{"image": "/elsewhere/a.jpg", "caption": "one"}, {"image": "b.jpg", "captions": ["two", "three"]}]"#,
  """
  {"image": "photos/a.jpg", "captions": [{"caption": "one", "words": []}, {"caption": "three"}]}
  {"image": "photos/b.jpg", "captions": [{"caption": "two"}]}
  {"image": "photos/c.jpg", "error": "photos/c.jpg: can't read"}
  """, "a.jpg#0\tone\nb.jpg#0\ttwo\nb.jpg#1\tthree\n", "image,caption\na.jpg,one\nb.jpg,two\n",
  "image,rank,caption,log_prob,error\na.jpg,1,one,-3,\nb.jpg,1,two,-3,\nb.jpg,2,three,-4,\n",
])
func resultsKnowTheirImagesByIDOrName(results: String) throws {
  let found =
    results.contains("c.jpg")
    ? try read(
      results,
      about: references.replacing(#"{"id": 5,"#, with: #"{"id": 9, "file_name": "c.jpg"}, {"id": 5,"#))
    : try read(results, about: references)
  #expect(found.map(\.caption) == ["one", "two"])
  #expect(found.first?.imageID == 5 && found.last?.imageID != 5)
}

@Test func resultsOfUnknownImagesAreRefused() throws {
  for results in [
    #"[{"file_name": "c.jpg", "caption": "one"}]"#, #"[{"image_id": "x", "caption": "one"}]"#, "c.jpg#0\tone",
  ] {
    #expect(throws: DatasetError.self) { try read(results, about: references) }
  }
  let twice = "{\"image\": \"a.jpg\", \"caption\": \"x\"}\n{\"image\": \"a.jpg\", \"caption\": \"y\"}"
  let error = #expect(throws: DatasetError.self) { try read(twice, about: references) }
  #expect(error?.description.hasSuffix("results: line 2: id 5 comes twice") == true)
}

@Test func textsAreComparedLineByLine() throws {
  let found = try read("a dog\n\ntwo cats\n", about: "the dog\nx\ntwo cats")
  #expect(
    found == [
      .init(imageID: 0, caption: "a dog"), .init(imageID: 1, caption: ""),
      .init(imageID: 2, caption: "two cats"),
    ])
  let error = #expect(throws: DatasetError.self) { try read("a dog\nx", about: "the dog\nx\ntwo cats") }
  #expect(
    error?.description.hasSuffix(
      "its lines: expected 3 captions, one a line, as the references are, found 2 captions without names")
      == true
  )
  #expect(throws: DatasetError.self) { try read("a dog\nx", about: references) }
  #expect(throws: DatasetError.self) { try read("a.jpg#0\tx", about: "the dog") }
}

import Foundation
import Datasets
import TestSupport
import Testing

private func references(_ text: String) throws -> [Int: [String]] {
  try withTemporaryFolder { folder in
    let path = folder + "/captions.json"
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return try ReferenceCaptions(path: path).captions
  }
}

/// Nothing is trimmed or left out, and photos need no names.
@Test func referencesAreReadAsTheyStand() throws {
  let found = try references(
    """
    {"images": [{"id": 3}, {"id": 5, "file_name": "../x"}, {"id": -1}], "info": 1, "annotations": [
      {"image_id": 5, "caption": " A dog. "}, {"image_id": 3, "caption": "b"}, {"image_id": 5, "caption": ""}]}
    """)
  #expect(found == [3: ["b"], 5: [" A dog. ", ""], -1: []])
}

@Test func badReferencesAreRefused() throws {
  for (text, complaint) in [
    (
      #"{"images": [{"id": 3}, {"id": 3}], "annotations": []}"#, "captions.json: images[1]: id 3 comes twice"
    ),
    (
      #"{"images": [{"id": 3}], "annotations": [{"image_id": 4, "caption": "a"}]}"#,
      "captions.json: annotations[0].image_id: no image has id 4"
    ),
    (
      #"{"images": [{"id": 3}], "annotations": [{"image_id": 3}]}"#,
      "captions.json: annotations[0].caption is missing"
    ),
    (#"{"images": []}"#, "captions.json: annotations is missing"),
    (
      #"{"images": [{"id": 0.5}], "annotations": []}"#,
      "captions.json: images[0].id: expected an integer, found a number that is no integer of 64 bits"
    ),
  ] {
    let error = #expect(throws: DatasetError.self) { _ = try references(text) }
    #expect(error?.description.hasSuffix(complaint) == true, "\(error?.description ?? "")")
  }
}

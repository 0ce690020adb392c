import Foundation
import Support
import TestSupport
import Tensors
import Testing

@testable import Datasets

/// A file of scores.
private func write(
  _ path: String, _ scores: Tensor?, names: String?, type: StoredType = .float32
) throws {
  let items = scores.map { [SafetensorsWriter.Item(name: "scores", tensor: $0, type: type)] } ?? []
  try SafetensorsWriter.write(items, metadata: names.map { ["names": $0] } ?? [:], to: path)
}

@Suite struct TeacherScoresTests {
  @Test(arguments: [StoredType.float32, .float16, .bfloat16]) func scoresAreRead(type: StoredType) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/scores.safetensors"
      try write(path, Tensor([1, 2, -3, 4, 5.5, 6], [2, 3]), names: #"["a.jpg", "b/c.jpg"]"#, type: type)
      let scores = try TeacherScores(path: path, images: folder)
      #expect(scores.names == ["a.jpg", "b/c.jpg"] && scores.classes == 3)
      #expect(scores[1] == [4, 5.5, 6] && scores[0] == [1, 2, -3])
      let print = scores.fingerprint
      try write(path, Tensor([1, 2, -3, 4, 5.5, 7], [2, 3]), names: #"["a.jpg", "b/c.jpg"]"#, type: type)
      #expect(try TeacherScores(path: path, images: folder).fingerprint != print)
    }
  }

  @Test func otherFilesGetALine() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/scores.safetensors"
      func refusal() -> String? {
        do {
          _ = try TeacherScores(path: path, images: folder)
          return nil
        } catch { return "\(error)".replacing(path + ": ", with: "") }
      }
      #expect(refusal()?.hasPrefix("the file: expected a teacher's scores (safetensors), found ") == true)
      try "no tensors".write(toFile: path, atomically: false, encoding: .utf8)
      #expect(refusal()?.hasPrefix("the file: expected a teacher's scores (safetensors), found ") == true)
      let two = Tensor([1, 2, 3, 4], [2, 2])
      try write(path, nil, names: "[]")
      #expect(refusal() == "the file: expected a tensor scores [photos, classes], found no tensor")
      try write(path, Tensor([1, 2], [2]), names: "[]")
      #expect(refusal()?.hasPrefix("scores: expected [photos, classes] of F32, F16 or BF16, found ") == true)
      try write(path, two, names: nil)
      #expect(refusal() == "metadata names: expected a JSON list of file names, found none")
      try write(path, two, names: #"["a"]"#)
      #expect(refusal() == "metadata names: expected 2, one a row of scores, found 1")
      try write(path, two, names: #"["a", "a"]"#)
      #expect(refusal() == "metadata names[1]: expected each photo once, found a again")
      try write(path, two, names: #"["a", "../b"]"#)
      #expect(refusal() == "metadata names[1]: expected a file in the folder of images, found \"../b\"")
      try write(path, Tensor([1, 2, .nan, 4], [2, 2]), names: #"["a", "b"]"#)
      #expect(refusal() == "scores[1]: expected finite numbers within 1e6, found others")
    }
  }
}

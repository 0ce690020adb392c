import Tensors
import Testing

@testable import Datasets

@Suite struct FeatureNamesTests {
  private func match(_ names: [String], _ folder: String, _ fileName: String, _ id: ImageID? = nil)
    -> FeatureNames.Match
  {
    FeatureNames(names).row(
      of: NamedImage(path: folder.isEmpty ? fileName : folder + "/" + fileName, fileName: fileName, id: id))
  }

  @Test func imagesAreFoundByWhatTheyAreCalled() {
    // As it is, with the folder or without.
    #expect(match(["x", "photos/a.jpg"], "photos", "a.jpg") == .row(1))
    #expect(match(["a.jpg"], "photos", "a.jpg") == .row(0))
    // In other folders, which the folder of images is of no account for.
    #expect(match(["/home/u/old/val/1.jpg", "/home/u/old/train/1.jpg"], "photos", "train/1.jpg") == .row(1))
    #expect(match(["old/1.jpg"], "photos/new", "1.jpg") == .row(0))
    #expect(match(["./photos//1.jpg"], "photos", "1.jpg") == .row(0))
    // Another image of the same name is another image.
    #expect(match(["a/1.jpg"], "photos", "b/1.jpg") == .none)
    #expect(match(["1.jpg"], "photos", "b/1.jpg") == .row(0))
    #expect(match(["a/1.jpg", "b/1.jpg"], "photos", "1.jpg") == .ambiguous)
    // Without the kind of the file.
    #expect(match(["COCO_val_000000000042"], "", "val/COCO_val_000000000042.jpg") == .row(0))
    #expect(match(["1.npy", "2.npy"], "photos", "2.jpg") == .row(1))
    #expect(match(["v1.5", "v1"], "", "v1.jpg") == .row(1))
    #expect(match(["a.jpg", "a.png"], "", "a.gif") == .ambiguous)
    #expect(match(["a.jpg", "a.png"], "", "a.png") == .row(1))
    // By its id, if it has one.
    #expect(match(["42", "43"], "", "x.jpg", 43) == .row(1))
    #expect(match(["42"], "", "x.jpg") == .none)
    #expect(match(["coco_1"], "", "x.jpg", ImageID("coco_1")) == .row(0))
    #expect(match([], "", "x.jpg") == .none)
  }

  /// A name of a hundred thousand folders takes no more than its length.
  @Test(.timeLimit(.minutes(1))) func longNamesAreRead() {
    let long = String(repeating: "a/", count: 100_000) + "1.jpg"
    #expect(match([long, "b"], "photos", "1.jpg") == .row(0))
    #expect(match(["b"], "", long) == .none)
    #expect(match([long], "", long) == .row(0))
  }

  /// One name is not two images.
  @Test func namesAreNotShared() throws {
    let images = ["a/1.jpg", "b/1.jpg"].map { NamedImage(path: $0, fileName: $0) }
    let files = try FeatureFiles([FeatureFile(path: "f", rows: Rows(names: ["1.jpg"]))])
    #expect(throws: FeatureFileError.shared(path: "f", name: "1.jpg", images: ["a/1.jpg", "b/1.jpg"])) {
      _ = try SelectedFeatures(images, in: files)
    }
    #expect(try SelectedFeatures([images[0], images[0]], in: files).count == 2)
  }

  /// Features that can't be read any more are no numbers, and it is told why.
  @Test func failuresAreKept() throws {
    let rows = Rows(names: ["1"], reads: 1)
    let files = try FeatureFiles([FeatureFile(path: "f", rows: rows)])
    let selected = try SelectedFeatures([NamedImage(called: "1")], in: files)
    #expect(selected.error == nil)
    #expect(selected.read([0])[0].isNaN && selected.error == .damaged("gone"))
  }
}

/// Rows of ones.
private final class Rows: FeatureRows, @unchecked Sendable {
  let names: [String]
  var shape: Shape { [1] }
  private var reads: Int

  init(names: [String], reads: Int = .max) {
    self.names = names
    self.reads = reads
  }

  func read(_ row: Int, into numbers: UnsafeMutablePointer<Float>) throws(FeatureFileError) {
    guard reads > 0 else { throw .damaged("gone") }
    reads -= 1
    numbers[0] = 1
  }
}

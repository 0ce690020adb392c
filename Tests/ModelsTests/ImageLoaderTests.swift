import Foundation
import Imaging
import Kernels
import Tensors
import TestSupport
import Testing

@testable import Models

@Suite struct ImageLoaderTests {
  private let preprocessing = Preprocessing.caffe

  @Test func badFilesCostOnlyThemselves() throws {
    try withTemporaryFolder { folder in
      let text = folder + "/text.jpg"
      try "no image".write(toFile: text, atomically: true, encoding: .utf8)
      let paths = [
        "skipped", "/nowhere.png", photo("decode/jpeg-444.jpg"), text, folder, photo("resize/37x29.png"),
        "skipped",
      ]
      for threads in [1, 3] {
        let batch = ImageLoader(preprocessing).load(paths, 1..<6, pool: ThreadPool(threads: threads))
        #expect(batch.indices == [2, 5])
        #expect(batch.failures.map(\.index) == [1, 3, 4])
        #expect(batch.failures.map(\.error.path) == ["/nowhere.png", text, folder])
        #expect(batch.images.shape == [2, 224, 224, 3])
        for (row, path) in [paths[2], paths[5]].enumerated() {
          #expect(batch.images.row(row) == preprocessing.apply(try RGBImage(contentsOf: path)))
        }
      }
    }
  }

  @Test func mirrorsTheNetworksView() throws {
    let path = photo("resize/37x29.png")
    let loader = ImageLoader(preprocessing)
    let (plain, flipped) = (
      loader.load([path], 0..<1).images,
      loader.load([path], 0..<1) { size, _ in Augmentation(1)(size, number: 0) }.images
    )
    #expect(plain != flipped)
    for y in [0, 100] {
      for x in [0, 17, 223] {
        for channel in 0..<3 {
          #expect(plain[(y * 224 + x) * 3 + channel] == flipped[(y * 224 + 223 - x) * 3 + channel])
        }
      }
    }
  }

  /// Batches that are read ahead are those that are read at once, views and bad files included.
  @Test func batchesAreTheSameAhead() throws {
    let paths = (1...8).map { photo("decode/jpeg-orientation-\($0).jpg") } + ["/nowhere.png"]
    let loader = ImageLoader(preprocessing)
    let view: @Sendable (ImageSize, Int) -> ImageCrop = { Augmentation($1 % 2)($0, number: $1) }
    let batches = Array(loader.batches(paths, of: 2, view: view))
    #expect(batches.count == 5)
    for (number, batch) in batches.enumerated() {
      let range = 2 * number..<min(9, 2 * number + 2)
      let expected = loader.load(paths, range, view: view)
      #expect(batch.images == expected.images && batch.indices == expected.indices)
      #expect(batch.failures.map(\.index) == expected.failures.map(\.index))
    }
    #expect(batches.last?.failures.map(\.index) == [8])
    #expect(loader.batches([], of: 2).next() == nil)
  }

  @Test func nothingGivesNothing() {
    let batch = ImageLoader(preprocessing).load(["/nowhere"], 0..<1)
    #expect(batch.images.shape == [0, 224, 224, 3] && batch.indices.isEmpty && batch.failures.count == 1)
  }
}

import Datasets
import Foundation
import Imaging
import Tensors
import TestSupport
import Testing

@testable import Models

private struct Stopped: Error {}

@Suite struct MapExtractionTests {
  private func encoder(_ folder: String) throws -> VGGEncoder {
    let path = folder + "/model.safetensors"
    try TinyNetwork.writeModel(to: path)
    return try CaptionModel(contentsOf: path, caching: .resident).encoder
  }

  /// Weights that somebody writes into meanwhile end the work, and no row that may be of both counts.
  @Test func weightsThatChangeEndIt() throws {
    try withTemporaryFolder { folder in
      let encoder = try encoder(folder)
      let paths = [photo("decode/jpeg-orientation-1.jpg")]
      func open() throws -> MapCache {
        try MapCache(path: folder + "/f", key: "k", names: paths, width: 16)
      }
      let model = try FileHandle(forWritingTo: URL(fileURLWithPath: folder + "/model.safetensors"))
      try model.seekToEnd()
      try model.write(contentsOf: Data([0]))
      #expect {
        try encoder.fill(open(), paths: paths, progress: { _ in }, failed: { _, _ in })
      } throws: {
        "\($0)".contains("model.safetensors: can't go on: another program wrote into it")
      }
      #expect(try open().pending == [0])
    }
  }

  /// Whatever ends the work, the rows before it last.
  @Test func keepsTheRowsBeforeAnError() throws {
    try withTemporaryFolder { folder in
      let encoder = try encoder(folder)
      let paths = (0..<20).map { photo("decode/jpeg-orientation-\($0 % 8 + 1).jpg") }
      func open() throws -> MapCache {
        try MapCache(path: folder + "/f", key: encoder.fingerprint(), names: paths, width: 16)
      }
      do {
        let cache = try open()
        var batches = 0
        #expect(throws: ModelError.self) {
          try encoder.fill(
            cache, paths: paths,
            transform: { pooled in
              batches += 1
              return batches < 2
                ? pooled : Tensor([Float](repeating: .nan, count: pooled.count), pooled.shape)
            }, progress: { _ in }, failed: { _, _ in })
        }
      }
      #expect(try open().pending == Array(8..<20))
    }
  }

  /// Ten images, two of them bad; stopped after the first batch, resumed, then one is mended.
  @Test func fillsWhatIsMissing() throws {
    try withTemporaryFolder { folder in
      let encoder = try encoder(folder)
      let late = folder + "/late.png"
      var paths = (1...8).map { photo("decode/jpeg-orientation-\($0).jpg") }
      paths.insert("/nowhere.jpg", at: 3)
      paths.append(late)
      func open() throws -> MapCache {
        try MapCache(path: folder + "/f", key: encoder.fingerprint(), names: paths, width: 16)
      }
      var failed: [String] = []
      func fill(_ cache: MapCache, stopAfter: Int = .max) throws -> [Int] {
        var steps: [Int] = []
        failed = []
        try encoder.fill(cache, paths: paths) {
          steps.append($0)
          if steps.count >= stopAfter { throw Stopped() }
        } failed: { path, reason in
          failed.append(path)
          #expect(reason.hasPrefix(path + ": "))
        }
        return steps
      }
      do {
        let cache = try open()
        #expect(throws: Stopped.self) { try fill(cache, stopAfter: 1) }
        #expect(failed == ["/nowhere.jpg"])
      }
      do {
        // What was done before the stop counts.
        let cache = try open()
        #expect(cache.pending == [3, 8, 9])
        #expect(try fill(cache) == [3])
        #expect(failed == ["/nowhere.jpg", late])
      }
      try FileManager.default.copyItem(atPath: photo("resize/37x29.png"), toPath: late)
      let cache = try open()
      #expect(try fill(cache) == [2])
      #expect(cache.pending == [3] && cache.status(of: 3) == .failed)
      for row in 0..<10 where row != 3 {
        let image = encoder.preprocessing.apply(try RGBImage(contentsOf: paths[row])).reshaped([1, 32, 32, 3])
        let found = Tensor((0..<16).map { cache.features(of: row)[$0] }, [16])
        #expect(relativeError(found, encoder.pooled(image).reshaped([16])) < 1e-6)
      }
    }
  }

  @Test func storesWhatTheTransformMakes() throws {
    try withTemporaryFolder { folder in
      let encoder = try encoder(folder)
      let paths = [photo("resize/37x29.png")]
      let cache = try MapCache(path: folder + "/f", key: "k", names: paths, width: 2)
      try encoder.fill(cache, paths: paths, transform: { Tensor([$0[0], 7], [1, 2]) }) { _ in
      } failed: { _, _ in
      }
      #expect(cache.features(of: 0)[1] == 7)
    }
  }

  /// Maps at a cut, in half precision, with a name of their own; convolutions go on from there to the pooled map.
  @Test func storesMapsAtACut() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors"
      try TinyNetwork.writeModel(to: path)
      let file = try SafetensorsFile(path: path)
      let whole = try CaptionModel(contentsOf: path, caching: .resident).encoder
      let cut = try #require(whole.architecture.cut(before: "conv2_1"))
      let frozen = try VGGEncoder(
        try #require(cut.frozen), preprocessing: whole.preprocessing, weights: file, prefix: "encoder.",
        caching: .resident)
      let paths = [photo("resize/37x29.png")]
      let shape = cut.mapShape(height: 32, width: 32)
      let cache = try MapCache(
        path: folder + "/f", key: frozen.fingerprint(.map), names: paths, width: shape.count, type: .float16)
      try frozen.fill(cache, paths: paths, tap: .map) { _ in
      } failed: { _, _ in
      }
      #expect(try frozen.fingerprint(.map) != frozen.fingerprint())
      var maps = Tensor(uninitialized: Shape([1] + shape.dimensions))
      cache.read(0, into: maps.mutablePointer())
      let image = whole.preprocessing.apply(try RGBImage(contentsOf: paths[0])).reshaped([1, 32, 32, 3])
      #expect(relativeError(maps, frozen.maps(image)) < 1e-3)
      let convolutions = try TrainableConvolutions(cut) { (parameter) throws(SafetensorsError) in
        try file.tensor(named: parameter.path, shape: parameter.shape)
      }
      var trace = TrainableConvolutions.Trace()
      #expect(
        relativeError(convolutions.trainingForward(maps, into: &trace, on: .cpu), whole.pooled(image)) < 1e-3)
    }
  }

  @Test func featuresThatAreNoNumbersAreRefused() throws {
    try withTemporaryFolder { folder in
      let encoder = try encoder(folder)
      let paths = [photo("resize/37x29.png")]
      let cache = try MapCache(path: folder + "/f", key: "k", names: paths, width: 1)
      #expect(throws: ModelError.self) {
        try encoder.fill(cache, paths: paths, transform: { _ in Tensor([.nan], [1, 1]) }) { _ in
        } failed: { _, _ in
        }
      }
      #expect(cache.pending == [0])
    }
  }

  /// Weights, preprocessing and averaging each count, the rest of the file does not.
  @Test func fingerprintsTellEncodersApart() throws {
    try withTemporaryFolder { folder in
      func fingerprint(
        _ name: String, seed: UInt64 = 1, head: VGGArchitecture.Head = .compact, bgr: Bool = false
      ) throws
        -> String
      {
        let path = "\(folder)/\(name).safetensors"
        try TinyNetwork.writeConvolutions(to: path, seed: seed)
        let architecture = try #require(
          VGGArchitecture(table: TinyNetwork.table, head: head, featureSize: 16))
        return try VGGEncoder(
          architecture, preprocessing: bgr ? .caffe : .torchvision, weights: SafetensorsFile(path: path),
          caching: .streamed
        ).fingerprint()
      }
      let same = try fingerprint("a")
      #expect(try fingerprint("b") == same && fingerprint("b", head: .compact2) == same)
      #expect(
        try Set([
          same, fingerprint("b", seed: 2), fingerprint("b", head: .full), fingerprint("b", bgr: true),
        ]).count == 4)
    }
  }
}

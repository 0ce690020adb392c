import Datasets
import Foundation
import Imaging
import Models
import Support
import Tensors

@testable import Training

extension ForeignReader {
  private static let names = ["a.jpg", "b.jpg"]

  /// A feature cache.
  static let features = ForeignReader(
    name: "features",
    words: [
      "features", "status", "stamps", "F32", "F16", "U8", "U64", "\"shape\":", "\"data_offsets\":", "key",
      "names",
    ],
    seeds: {
      let metadata = ["key": "k", "names": #"["a.jpg","b.jpg"]"#]
      return try [
        file(
          [("stamps", "U64", 8, [2, 4]), ("features", "F32", 4, [2, 3]), ("status", "U8", 1, [2])], metadata),
        file([("features", "F16", 2, [2, 3]), ("status", "U8", 1, [2])], metadata),
      ]
    },
    read: { bytes, scratch in
      for type in [StoredType.float32, .float16] {
        scratch.hold(bytes)
        let opened = outcome {
          try MapCache(path: scratch.path, key: "k", names: names, files: names, width: 3, type: type)
        }
        guard let cache = opened.value else { continue }
        var row: [Float] = [0, 0, 0]
        for index in names.indices where cache.status(of: index) == .done {
          cache.read(index, into: &row)
          guard row.allSatisfy(\.isFinite) else { throw Wrong("features that are no numbers") }
        }
        for index in cache.pending { try cache.store([1, 2, 3], row: index) }
        try cache.flush()
        guard cache.pending.isEmpty else { throw Wrong("rows are missing") }
      }
    })

  /// Features of another program's encoder, and what their images are called.
  static let givenFeatures = ForeignReader(
    name: "given-features",
    words: [
      "features", "status", "ids", "image_ids", "F32", "F16", "U8", "I64", "I32", "\"shape\":",
      "\"data_offsets\":",
      "names", "a/b.jpg", "./", "//", ".npy", "<U12", "|S12", "\\\"a\\\"", "null", "8000000001",
    ],
    seeds: {
      try [
        file([("features", "F32", 4, [2, 3])], ["names": #"["photos/a.jpg", 7]"#]),
        file([("features", "F16", 2, [2, 2, 1, 3]), ("ids", "I64", 8, [2])], [:]),
        file(
          [("features", "F32", 4, [2, 1]), ("status", "U8", 1, [2])], ["names": #"["a/1.jpg","b/1.jpg"]"#]),
        file([("1", "F32", 4, [2]), ("2.jpg", "F32", 4, [2])], [:]),
      ] + ["named.npz", "ids.npz", "keyed.npz", "ids.h5", "keyed.h5"].map(madeFeatures)
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let opened = outcome { try FeatureFiles(paths: [scratch.path]) }
      guard let files = opened.value else { return try named(opened.error, scratch) }
      // Each finds itself, or another spelling of itself; whatever it is called, nothing else happens.
      for name in files.names {
        let found = outcome { try SelectedFeatures([NamedImage(called: name)], in: files) }
        guard let selected = found.value else {
          try named(found.error, scratch)
          continue
        }
        let numbers = selected.read([0])
        guard numbers.shape == [1, files.shape.count], numbers.scalars.allSatisfy(\.isFinite) else {
          throw Wrong("numbers of \(name)")
        }
      }
      for image in [
        NamedImage(path: "photos/a/1.jpg", fileName: "a/1.jpg", id: 7), NamedImage(called: "1.png"),
      ] {
        let found = outcome { try SelectedFeatures([image], in: files) }
        if found.value == nil { try named(found.error, scratch) }
      }
    })

  /// A run's photos.
  static let photos = ForeignReader(
    name: "photos",
    words: ["photos", "status", "stamps", "U8", "U64", "\"shape\":", "\"data_offsets\":", "key", "names"],
    seeds: {
      let metadata = ["key": "k", "names": #"["a.jpg","b.jpg"]"#]
      return try [
        file(
          [("stamps", "U64", 8, [2, 4]), ("photos", "U8", 1, [2, 16]), ("status", "U8", 1, [2])], metadata)
      ]
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      let check = outcome { FeatureFileCheck.findings(try SafetensorsFile(path: scratch.path)) }
      _ = check.value?.count
      let opened = outcome {
        try ReducedPhotoCache(path: scratch.path, key: "k", names: names, files: names, pixels: 4)
      }
      guard let cache = opened.value else { return }
      for row in names.indices where cache.status(of: row) == .done {
        guard cache.image(of: row).size.pixels <= 4 else { throw Wrong("a photo that is too large") }
      }
      let photo = RGBImage(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
      for row in cache.pending { try cache.store(photo, row: row) }
      try cache.flush()
      guard cache.pending.isEmpty else { throw Wrong("rows are missing") }
    })

  /// A checkpoint's state: what a run goes on from.
  static let checkpoint = ForeignReader(
    name: "checkpoint",
    words: settingWords + [
      "\"epoch\":", "\"batch\":", "\"schedule\":", "\"curve\":", "\"vocabulary\":", "\"configuration\":",
      "plateau", "cosine",
    ],
    seeds: {
      try [
        LearningRateSchedule.Curve.constant, .step(factor: 0.5, every: 3), .cosine(steps: 9),
        .plateau(factor: 0.5, patience: 2),
      ]
      .map { curve in
        let state = RunState(
          schedule: LearningRateSchedule(learningRate: 0.01, curve, warmUp: 2, stopPatience: 3),
          vocabulary: ["<pad>"], data: "d", configuration: TrainingConfiguration())
        return Array(try canonicalJSON(state, .snakeCase).utf8)
      }
    },
    read: { bytes, scratch in
      let metadata = [
        "format": "captioner checkpoint", "format_version": "1",
        "state": String(decoding: bytes, as: UTF8.self),
      ]
      try scratch.hold(file([], metadata))
      let read = outcome { try Checkpoint.state(in: SafetensorsFile(path: scratch.path)) }
      guard var state = read.value else { return }
      _ = state.schedule.learningRate(after: state.step)
      _ = state.schedule.observe(1, epoch: state.epoch)
      _ = state.configuration.missing ?? state.configuration.problem
      state.beginEpoch()
    })

  /// A run's options.
  static let configuration = ForeignReader(
    name: "configuration", words: settingWords,
    seeds: {
      try [Array(TrainingConfiguration().json().utf8), Array(#"{"epochs": 3, "learningRate": 0.1}"#.utf8)]
    },
    read: { bytes, scratch in
      scratch.hold(bytes)
      guard let configuration = outcome({ try TrainingConfiguration(contentsOf: scratch.path) }).value else {
        return
      }
      guard configuration.missing ?? configuration.problem == nil || true else { return }
      let again = try TrainingConfiguration(json: Data(configuration.json().utf8))
      guard again == configuration else { throw Wrong("written again, the options are others") }
    })

  private static let settingWords =
    TrainingSettings.list.flatMap(\.keys).flatMap { $0.split(separator: ".") }.map { "\"\($0)\":" } + [
      "null", "true", "-1", "1e300", "9223372036854775807", "[", "]", "{", "}",
    ]

  /// A file of features that another program wrote.
  private static func madeFeatures(_ name: String) throws -> [UInt8] {
    try fixture("DatasetsTests/Fixtures/features/\(name)")
  }
}

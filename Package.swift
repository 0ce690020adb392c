// swift-tools-version: 6.2
import Foundation
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]
// Under development, number crunching is optimised in debug builds too: their tests run ten times faster. SwiftPM takes
// no package with such flags as a dependency, so nobody else gets them; release builds need none.
let development = Context.environment["CAPTIONER_DEVELOPMENT"] != nil
let numeric = strict + (development ? [.unsafeFlags(["-O"], .when(configuration: .debug))] : [])
let strictC: [CSetting] =
  [.treatAllWarnings(as: .error)]
  + (development ? [.unsafeFlags(["-O2"], .when(configuration: .debug))] : [])

/// A format of pictures that is read where its library is there as the package is built.
struct OptionalFormat {
  let name: String
  /// A header that comes with the library.
  let header: String
  /// What is linked; libheif is loaded when it is needed.
  let libraries: [String]

  static let all = [
    OptionalFormat(name: "webp", header: "webp/demux.h", libraries: ["webp", "webpdemux"]),
    OptionalFormat(name: "gif", header: "gif_lib.h", libraries: ["gif"]),
    OptionalFormat(name: "tiff", header: "tiffio.h", libraries: ["tiff"]),
    OptionalFormat(name: "heif", header: "libheif/heif.h", libraries: []),
  ]

  /// Where clang looks for headers.
  private static let folders = [
    "/usr/local/include", "/usr/include", "/usr/include/x86_64-linux-gnu", "/usr/include/aarch64-linux-gnu",
  ]

  var isThere: Bool {
    Self.folders.contains { FileManager.default.fileExists(atPath: "\($0)/\(header)") }
  }

  /// Those that are built in: what is there, or of it those that CAPTIONER_FORMATS names (`none`, or `webp,tiff`).
  static let builtIn: [OptionalFormat] = {
    let there = all.filter(\.isThere)
    guard let named = Context.environment["CAPTIONER_FORMATS"] else { return there }
    return there.filter { named.split(separator: ",").contains(Substring($0.name)) }
  }()
}

/// MPI as pkg-config knows it where the trait of that name is wanted: Open MPI's, or MPICH's where only that is installed.
let mpi: String = {
  let folders = [
    "/usr/local/lib/pkgconfig", "/usr/lib/x86_64-linux-gnu/pkgconfig", "/usr/lib/aarch64-linux-gnu/pkgconfig",
    "/usr/lib64/pkgconfig",
  ]
  func isThere(_ name: String) -> Bool {
    folders.contains { FileManager.default.fileExists(atPath: "\($0)/\(name).pc") }
  }
  return !isThere("ompi-c") && isThere("mpich") ? "mpich" : "ompi-c"
}()

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

/// A source target and the tests that mirror it.
func module(
  _ name: String, dependencies: [Target.Dependency], settings: [SwiftSetting] = strict,
  testDependencies: [Target.Dependency] = [], fixtures: Bool = false
) -> [Target] {
  [
    .target(name: name, dependencies: dependencies, swiftSettings: settings),
    .testTarget(
      name: name + "Tests", dependencies: [.target(name: name), "TestSupport"] + testDependencies,
      exclude: fixtures ? ["Fixtures"] : [], swiftSettings: settings),
  ]
}

let package = Package(
  name: "captioner",
  products: [
    .executable(name: "captioner", targets: ["captioner"]),
    .library(name: "CaptionerKit", targets: ["CaptionerKit"]),
    .library(
      name: "CaptionerEngine",
      targets: [
        "Models", "Datasets", "Decoding", "Evaluation", "Imaging", "Kernels", "Language", "LanguageModels",
        "Layers", "CaptionMetrics", "MPIProcesses", "PhotoMetadata", "Requests", "Support", "Tensors",
        "Training", "WebPages", "WeightFiles",
      ]),
  ],
  traits: [
    .trait(name: "MPI", description: "Trains and captions on many machines: needs libopenmpi-dev, or MPICH.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    // The service's alone: who depends on the libraries builds and links none of them.
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.9.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
  ],
  targets: [
    // Layer 0: C.
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    // libpng's headers bring it along.
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    // Of use with the trait MPI only.
    .systemLibrary(name: "CMPI", pkgConfig: mpi, providers: [.apt(["libopenmpi-dev"])]),
    .target(
      name: "CImageCodecs",
      cSettings: strictC + OptionalFormat.builtIn.map { .define("CAPTIONER_\($0.name.uppercased())") },
      linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]
        + OptionalFormat.builtIn.flatMap { $0.libraries.map { .linkedLibrary($0) } }),
    .target(name: "CKernels", cSettings: strictC, linkerSettings: [.linkedLibrary("m")]),
    // Tests only.
    .target(
      name: "TestSupport", dependencies: ["Support", "Tensors"], path: "Tests/TestSupport",
      swiftSettings: numeric),
  ]
    // Layer 1.
    + module("Support", dependencies: ["CZlib"], settings: numeric, fixtures: true)
    + module("Language", dependencies: [], fixtures: true)
    + module("WebPages", dependencies: ["Support"])
    // Layer 2.
    + module("Tensors", dependencies: ["CKernels", "Support"], settings: numeric)
    + module(
      "CaptionMetrics", dependencies: ["Support"], settings: numeric, testDependencies: ["Language"],
      fixtures: true)
    // Nothing without the trait MPI.
    + [
      .target(
        name: "MPIProcesses",
        dependencies: ["Support", .target(name: "CMPI", condition: .when(traits: ["MPI"]))],
        swiftSettings: numeric)
    ]
    // Descriptions that photos hold, and files beside them.
    + module("PhotoMetadata", dependencies: [])
    // Layer 3.
    + module(
      "Kernels", dependencies: ["COneDNN", "CKernels", "Support", "Tensors"], settings: numeric,
      fixtures: true)
    + module(
      "Imaging", dependencies: ["CImageCodecs", "Support", "Tensors"], settings: numeric, fixtures: true)
    // Files in which other programs keep weights.
    + module("WeightFiles", dependencies: ["Support", "Tensors"], settings: numeric, fixtures: true)
    // Layer 4.
    + module("Layers", dependencies: ["Kernels", "Support", "Tensors"], settings: numeric, fixtures: true)
    + module(
      "Datasets", dependencies: ["Imaging", "Kernels", "Language", "Support", "Tensors", "WeightFiles"],
      testDependencies: ["Imaging", "Kernels", "Language"], fixtures: true)
    // Layer 5.
    + module(
      "Decoding", dependencies: ["Kernels", "Language", "Layers", "Support", "Tensors"], settings: numeric,
      testDependencies: ["Models"])
    // Layer 6.
    + module(
      "Models",
      dependencies: [
        "Datasets", "Decoding", "Imaging", "Kernels", "Language", "Layers", "Support", "Tensors",
        "WeightFiles",
      ],
      settings: numeric, fixtures: true)
    + module(
      "Requests", dependencies: ["Decoding", "Imaging", "Kernels", "Language", "Support"],
      testDependencies: ["Decoding", "Kernels", "Language"])
    // Layer 7.
    + module(
      "Evaluation",
      dependencies: [
        "Models", "Datasets", "Decoding", "Imaging", "Language", "Layers", "CaptionMetrics", "Support",
        "Tensors",
      ])
    // Layer 8.
    + module(
      "Training",
      dependencies: [
        "Models", "Datasets", "Decoding", "Evaluation", "Imaging", "Kernels", "Language", "Layers",
        "CaptionMetrics", "Support", "Tensors",
      ],
      settings: numeric, fixtures: true)
    // Layer 9.
    + module(
      "LanguageModels",
      dependencies: [
        "Models", "Datasets", "Decoding", "Kernels", "Language", "Layers", "Support", "Tensors", "Training",
      ],
      settings: numeric, fixtures: true)
    + module(
      "Reporting",
      dependencies: [
        "Datasets", "Evaluation", "Imaging", "Language", "CaptionMetrics", "Support", "Tensors", "Training",
      ],
      testDependencies: ["Models", "Datasets", "Decoding"])
    // Layer 10: the front door.
    + module(
      "CaptionerKit",
      dependencies: [
        "Models", "Datasets", "Decoding", "Evaluation", "Imaging", "Kernels", "Language", "CaptionMetrics",
        "Support", "Tensors", "Training",
      ],
      testDependencies: ["Layers"])
    // Layer 11: the captioning service, and the only importer of its web server.
    + module(
      "Service",
      dependencies: [
        "Models", "Decoding", "Imaging", "Kernels", "Language", "Reporting", "Requests", "Support", "Tensors",
        hummingbird,
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      testDependencies: ["Models", "Decoding", "Imaging", "Kernels", "Language", "Requests"])
    // Layer 12: the command.
    + [
      .executableTarget(
        name: "captioner",
        dependencies: [
          "Models", "Datasets", "Decoding", "Evaluation", "Imaging", "Kernels", "Language", "LanguageModels",
          "Layers", "CaptionMetrics", "MPIProcesses", "PhotoMetadata", "Reporting", "Service", "Support",
          "Tensors", "Training", "WebPages", "WeightFiles", argumentParser,
        ],
        swiftSettings: strict),
      .testTarget(
        name: "captionerTests",
        dependencies: ["captioner", "Kernels", "LanguageModels", "PhotoMetadata", "TestSupport"],
        exclude: ["Fixtures"], swiftSettings: strict),
      // All readers of foreign files, on what `tools/fuzz` found.
      .testTarget(
        name: "ForeignFilesTests",
        dependencies: [
          "Models", "Datasets", "Decoding", "Imaging", "Kernels", "Language", "LanguageModels", "Layers",
          "CaptionMetrics", "PhotoMetadata", "Requests", "Support", "Tensors", "Training", "WebPages",
          "WeightFiles", "TestSupport",
        ],
        exclude: ["Fixtures"], swiftSettings: strict),
    ],
  swiftLanguageModes: [.v6]
)

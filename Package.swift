// swift-tools-version: 6.2
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
    .library(
      name: "CaptionerEngine",
      targets: [
        "Captioning", "Datasets", "Evaluation", "Imaging", "Kernels", "Language", "Layers", "Metrics",
        "Tensors", "Training",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
  ],
  targets: [
    // Floor 0: C.
    .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
    .target(
      name: "CImageCodecs", cSettings: strictC,
      linkerSettings: [.linkedLibrary("png"), .linkedLibrary("jpeg")]),
    .target(name: "CKernels", cSettings: strictC, linkerSettings: [.linkedLibrary("m")]),
    // Tests only.
    .target(
      name: "TestSupport", dependencies: ["Tensors"], path: "Tests/TestSupport", swiftSettings: numeric),
  ]
    // Floor 1.
    + module("Tensors", dependencies: ["CKernels"], settings: numeric, fixtures: true)
    + module("Language", dependencies: [], fixtures: true)
    // Floor 2.
    + module("Kernels", dependencies: ["COneDNN", "CKernels", "Tensors"], settings: numeric)
    + module(
      "Imaging", dependencies: ["CImageCodecs", "Tensors"], settings: numeric, fixtures: true)
    + module(
      "Metrics", dependencies: ["Tensors"], settings: numeric, testDependencies: ["Language"], fixtures: true)
    // Floor 3.
    + module("Layers", dependencies: ["Kernels", "Tensors"], settings: numeric, fixtures: true)
    + module(
      "Datasets", dependencies: ["Imaging", "Kernels", "Language", "Tensors"],
      testDependencies: ["Imaging", "Kernels", "Language"])
    // Floors 4 to 7.
    + module(
      "Decoding", dependencies: ["Kernels", "Language", "Layers", "Tensors"], settings: numeric,
      testDependencies: ["Captioning"])
    + module(
      "Captioning",
      dependencies: ["Datasets", "Decoding", "Imaging", "Kernels", "Language", "Layers", "Tensors"],
      settings: numeric, fixtures: true)
    + module(
      "Evaluation",
      dependencies: [
        "Captioning", "Datasets", "Decoding", "Imaging", "Language", "Layers", "Metrics", "Tensors",
      ])
    + module(
      "Training",
      dependencies: [
        "Captioning", "Datasets", "Decoding", "Evaluation", "Kernels", "Language", "Layers", "Metrics",
        "Tensors",
      ],
      settings: numeric, fixtures: true)
    // Floor 8.
    + module(
      "Reporting",
      dependencies: ["Datasets", "Evaluation", "Imaging", "Language", "Metrics", "Tensors", "Training"],
      testDependencies: ["Captioning", "Datasets"])
    // Floor 9: the command.
    + [
      .executableTarget(
        name: "captioner",
        dependencies: [
          "Captioning", "Datasets", "Decoding", "Evaluation", "Imaging", "Kernels", "Language", "Layers", "Metrics",
          "Reporting", "Tensors", "Training", argumentParser,
        ],
        swiftSettings: strict),
      .testTarget(
        name: "captionerTests", dependencies: ["captioner", "Kernels", "TestSupport"], swiftSettings: strict),
    ],
  swiftLanguageModes: [.v6]
)

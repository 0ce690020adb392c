// swift-tools-version: 6.2
import PackageDescription

// Built by `tools/fuzz`, which asks for the sanitizers and the counters of libFuzzer.
let package = Package(
  name: "captioner-fuzzing",
  dependencies: [.package(name: "captioner", path: "../..")],
  targets: [
    .target(name: "CLibFuzzer"),
    // The readers themselves are links to those of the tests.
    .executableTarget(
      name: "fuzz",
      dependencies: ["CLibFuzzer", .product(name: "CaptionerEngine", package: "captioner")],
      swiftSettings: [
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
      ],
      // gold, the usual linker, fails on counters.
      linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
  ],
  swiftLanguageModes: [.v6]
)

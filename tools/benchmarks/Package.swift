// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "captioner-benchmarks",
  traits: [.trait(name: "MPI")],
  dependencies: [
    .package(
      name: "captioner", path: "../..", traits: [.trait(name: "MPI", condition: .when(traits: ["MPI"]))]),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
  ],
  targets: [
    .executableTarget(
      name: "captioner-benchmarks",
      dependencies: [
        .product(name: "CaptionerEngine", package: "captioner"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ])
  ],
  swiftLanguageModes: [.v6]
)

import ArgumentParser
import Models
import Datasets
import Foundation
import Kernels
import Imaging
import Layers
import Support

/// `captioner features`: features of many images into one file for other programs.
struct FeaturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features", abstract: "Computes image features of many photos.",
    usage: "captioner features [<options>] --encoder <file> --output <file> <paths>",
    discussion: """
      Writes a safetensors file: `features` F32 [images, width], `status` U8
      [images] (1 done, 2 unreadable image), and in the metadata `names`, a JSON
      list of the images. A run that was stopped continues where it was, with photos
      decoded as they were (--exact-decoding or not).

      Taps: fc is v, the FC-4096 (the file must have FC layers); map7x7 and
      map2x2 are the last map averaged to 7×7 and 2×2, flattened as [channels,
      rows, columns].

      Examples:
        captioner features photos/ --encoder vgg16.safetensors --tap map2x2 \\
          --output features.safetensors
        captioner features photos/*.jpg --encoder model.safetensors \\
          --output v.safetensors
        captioner features photos/ --encoder vgg16.safetensors --shard 1/2 \\
          --output part1.safetensors
      """)

  enum Tap: String, ExpressibleByArgument, CaseIterable { case fc, map7x7, map2x2 }

  @Argument(help: "Image files and folders of them.") var paths: [String]
  @OptionGroup var photos: PhotoOptions
  @OptionGroup var folders: FolderOptions
  @OptionGroup var sharing: ShardOption
  @Option(
    help: ArgumentHelp(
      "List of images to leave out, a path a line or a name in its folder; may be repeated.",
      valueName: "file"))
  var skip: [String] = []
  @Option(
    help: ArgumentHelp(
      "VGG weights (safetensors, PyTorch, Keras, …), or a captioner model.", valueName: "file"))
  var encoder: String
  @Option(help: ArgumentHelp("The file to write.", valueName: "file")) var output: String
  @Option(help: "fc, map7x7 or map2x2; fc if the file has FC layers, else map2x2.") var tap: Tap?
  @Option(help: "auto, torchvision or caffe: how pixels become input.") var preprocessing = "auto"
  @OptionGroup var encoding: ArithmeticOption
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard ["auto", "torchvision", "caffe"].contains(preprocessing) else {
      throw ValidationError("--preprocessing: expected auto, torchvision or caffe, found \(preprocessing)")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      var files: [String] = []
      var failures = 0
      var unread = 0
      let list = try SkipList(paths: skip)
      var skipped: Set<ExactName> = []
      for path in paths {
        let listing = try folders.list(path)
        for failure in listing.failures where sharing.tellsFailures {
          Console.complain("\(failure)")
          failures += 1
        }
        let prefix = path.hasSuffix("/") ? path : path + "/"
        for file in listing.files {
          let name = file.hasPrefix(prefix) ? String(file.dropFirst(prefix.count)) : file
          if let line = list.line(naming: file, name) {
            skipped.insert(ExactName(line))
          } else {
            files.append(file)
          }
        }
      }
      if !skipped.isEmpty { Console.note("\(skipped.count) images left out, as --skip says") }
      if let warning = list.warning(used: skipped) { Console.complain(warning) }
      guard !files.isEmpty else {
        throw Failure(description: "\(paths.joined(separator: " ")): found no files")
      }
      let all = files.count
      files = Array(files[sharing.range(of: all)])
      if let shard = sharing.shard, files.isEmpty {
        throw Failure(description: "--shard \(shard): expected at least \(shard.count) images, found \(all)")
      }
      var outputs = Outputs(readingFrom: files + skip + [encoder])
      try outputs.add(output, "--output")
      let source = try EncoderSource(path: encoder, preprocessing: preprocessing)
      let tap = self.tap ?? (source.architecture.head == .none ? .map2x2 : .fc)
      let (network, head) = try Self.network(source, tap)
      let stack = try VGGEncoder(
        network, preprocessing: source.preprocessing, weights: source.file, prefix: source.prefix,
        caching: files.count < VGGEncoder.batchSize ? .streamed : .resident,
        on: Device.cpu.multiplying(encoding.arithmetic))
      stack.reader = photos.reader
      let cache = try stack.cache(
        at: output, key: { "\(tap.rawValue) \($0)" }, files: files,
        width: head == nil ? network.pooledSize : network.featureSize, note: Console.complain)
      for warning in cache.warnings { Console.complain(warning) }
      let pending = cache.pending.count
      if pending < files.count {
        Console.note("\(output): \(files.count - pending) images are there already")
      }
      var progress = ProgressLine("features", total: pending, unit: "images")
      try stack.fill(cache, paths: files, transform: { head?($0, on: .cpu) ?? $0 }) { done in
        progress.update(done)
      } failed: { _, message in
        failures += 1
        unread += 1
        Console.complain(message)
      }
      progress.finish(pending - unread)
      if failures > 0 {
        Console.note("\(pending - unread) images computed, \(failures) failed")
        throw ExitCode(1)
      }
    }
  }

  /// The network cut at the tap, and the FC layers that follow it.
  private static func network(_ source: EncoderSource, _ tap: Tap) throws -> (
    VGGArchitecture, StoredFeatureHead?
  ) {
    let found = source.architecture
    if tap == .fc {
      guard found.head != .none else {
        throw ModelError.unsupported(
          path: source.file.path, expected: "FC layers (classifier.0.weight) for --tap fc",
          found: "convolutions only")
      }
      return (found, try StoredFeatureHead(found, weights: source.file, prefix: source.prefix, on: .cpu))
    }
    let head: VGGArchitecture.Head = tap == .map7x7 ? .full : .compact
    guard let cut = found.replacing(head: head) else {
      throw ModelError.unsupported(path: source.file.path, expected: "a VGG network", found: found.table)
    }
    return (cut, nil)
  }
}

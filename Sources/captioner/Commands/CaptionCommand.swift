import ArgumentParser
import Models
import Evaluation
import Foundation
import Imaging
import Language
import Reporting
import Support

/// `captioner caption`: photos in, captions out.
struct CaptionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "caption", abstract: "Captions photos.",
    discussion: """
      PATH is a PNG, JPEG, WebP, GIF, BMP, TIFF, HEIC or AVIF file (of several
      pictures in it the first), a folder (every image directly in it; with
      --recursive in the folders in it too), or - for an image on standard input.
      A file that can't be read costs that file only; the exit status is then 1.
      File names are bytes: those that are no UTF-8 are printed with \\xFF in text,
      as they are in CSV, and with U+10FF80 to U+10FFFF for the bytes 0x80 to 0xFF
      in JSON.

      A model that was trained on features of another encoder (train --features)
      wants --features FILE; PATH is then an image's name or id, and without any all
      that the file has are captioned.

      In csv, names and captions that a spreadsheet would take for a formula (=, +,
      -, @) have an apostrophe before them. Controls and marks of direction are
      escaped wherever people read, as \\u{1B}; only json has names as they are.

      json, one object a line (all keys: the article JSON of CaptionerKit):
        image     the path, as it was given or found
        captions  the best first; each has caption, its log_prob (natural logarithm,
                  the end token included), normalized_log_prob (per word, the end
                  token counted), words (word and log_prob of each, </s> last), and
                  of a calibrated model confidence, 0 to 1
        error     in the place of captions: why there are none

      Examples:
        captioner caption photo.jpg
        captioner caption photos/ --format csv > captions.csv
        captioner caption a.jpg b.png --beam-width 5 --captions 5 --format json
        captioner caption photo.jpg --force frisbee --forbid man --no-repeat-ngram 3
        captioner caption photo.jpg --prefix "two dogs" --min-length 8
        captioner caption photo.jpg --sample --captions 5 --top-p 0.9 --seed 7
        captioner caption photos/ --write txt --text-before "sks, " --skip-existing
        captioner caption photos/ --recursive --write xmp --minimum-confidence 0.3
        captioner caption photo.jpg --write embedded --write-to described
        find / -name '*.jpg' -print0 | captioner caption --files-from - -0 \\
          --output captions.jsonl
        captioner caption photos/ --shard 3/8 --output part3.jsonl
        mpirun -np 8 captioner caption --files-from list --threads 2 --output captions.jsonl
        captioner caption photos/ --explain page.html
        captioner caption photo.jpg --explain picture.png
        captioner caption --features clip.safetensors 1.jpg 2.jpg --model run/model.safetensors
        curl -s https://example.org/photo.jpg | captioner caption -
      """)

  @OptionGroup var paths: PathOptions
  @OptionGroup var features: FeatureOption
  @OptionGroup var photos: PhotoOptions
  @OptionGroup var folders: FolderOptions
  @OptionGroup var sharing: ShardOption
  @OptionGroup var model: ModelOption
  @OptionGroup var search: SearchFlags
  @Option(
    help: ArgumentHelp(
      "Captions per image, the best first; at most the beam width, or 100 with --sample.", valueName: "n"))
  var captions = 1
  @Option(help: "text, json (one object a line) or csv (default: text).") var format: CaptionFormat?
  @OptionGroup var writing: WriteOptions
  @OptionGroup var confidence: ConfidenceOption
  @Option(
    help: ArgumentHelp(
      "Shows where the model looks for each word: FILE.html of the first \(ExplanationPage.limit) photos, FILE.png of the first \(ExplanationPicture.limit); may be repeated.",
      valueName: "file")) var explain: [String] = []
  @OptionGroup var encoding: ArithmeticOption
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    if features.files.isEmpty { try paths.checkNotEmpty() } else { try checkFeatureOptions() }
    try search.check(captions: captions, option: "--captions")
    try writing.check(format)
    guard sharing.shard == nil || !paths.paths.contains("-") else {
      throw ValidationError("--shard: standard input can't be shared")
    }
    guard explain.isEmpty || !paths.paths.contains("-") else {
      throw ValidationError("--explain reads a photo again, which standard input can't be")
    }
    guard writing.write.isEmpty || !paths.paths.contains("-") else {
      throw ValidationError("--write names files after photos, and standard input has no name")
    }
  }

  func run() throws {
    engine.apply()
    try Processes.share { group in
      try checkSharing(group)
      if !features.files.isEmpty { return try captionFeatures(in: features.files) }
      let modelPath = try model.resolved()
      let listing = try paths.list(folders)
      var outputs = Outputs(readingFrom: listing.files + [modelPath])
      if let output = writing.output, group.isFirst { try outputs.add(output, "--output") }
      for path in explain { try outputs.add(path, "--explain") }
      let format = CaptionFormat(format, output: writing.output)
      if group.isShared { return try captionShared(listing, modelPath, format, group) }
      let output = try writing.output.map {
        try ResumableOutput($0, format, captions: captions, startingOver: writing.overwrite)
      }
      var writer =
        output.map { CaptionWriter(format: format, to: $0) }
        ?? CaptionWriter(format: format, besideFiles: !writing.write.isEmpty || !explain.isEmpty)
      writer.namesImages =
        paths.paths.count > 1 || listing.files.count != 1 || listing.files != paths.paths
      var tally = Tally()
      for error in listing.failures where sharing.tellsFailures {
        tally.failed += 1
        try writer.write(image: error.path, error: error.description)
      }
      let jobs = try jobs(listing.files, output, &writer, &tally)
      let captioner = try captioner(modelPath, isForFew: jobs.photos.count < VGGEncoder.batchSize)
      writer.unsureBelow =
        confidence.minimumConfidence ?? captioner.description.confidence?.unsureThreshold
      try caption(jobs, captioner, &writer, &tally, group)
      tally.tell()
      if tally.failed > 0 { throw ExitCode(1) }
    }
  }

  /// The model, which reads photos as the options say.
  func captioner(_ path: String, isForFew: Bool) throws -> CaptionModel {
    let captioner = try CaptionModel(
      contentsOf: path, caching: isForFew && explain.isEmpty ? .streamed : .resident,
      arithmetic: encoding.arithmetic)
    captioner.encoder.reader = photos.reader
    captioner.encoder.reader.takesStandardInput = true
    try confidence.check(captioner)
    return captioner
  }

  /// The photos that need captions, and the files that are to be made of each.
  struct Jobs {
    var files: CaptionFiles?
    var photos: [String] = []
    /// Their places among all that were given.
    var places: [Int] = []
    /// What `files` makes of each.
    var kinds: [[CaptionFiles.Kind]] = []
  }

  /// Leaves out photos that have all that is asked for, and refuses those whose files are there already.
  func jobs(
    _ photos: [String], _ output: ResumableOutput?, _ writer: inout CaptionWriter, _ tally: inout Tally
  ) throws -> Jobs {
    var jobs = Jobs(files: writing.files)
    try jobs.files?.makeFolder()
    jobs.files?.photos = Set(photos.map { ExactName($0) })
    for place in sharing.range(of: photos.count) {
      let photo = photos[place]
      var kinds: [CaptionFiles.Kind] = []
      let isPrinted = output?.holds(photo) ?? false
      let work = isPrinted ? nil : jobs.files?.work(photo)
      switch work {
      case .refused(let reason):
        tally.failed += 1
        try writer.write(image: photo, error: reason)
        continue
      case .write(let wanted): kinds = wanted
      case .nothing, nil: break
      }
      // A photo that has its files, but no line in --output, gets that.
      if isPrinted || work == .nothing && output == nil {
        tally.skipped += 1
        continue
      }
      jobs.photos.append(photo)
      jobs.places.append(place)
      jobs.kinds.append(kinds)
    }
    return jobs
  }

  /// Captions photos: all, or where several processes share them, runs of them that no other takes.
  func caption(
    _ jobs: Jobs, _ captioner: CaptionModel, _ writer: inout CaptionWriter, _ tally: inout Tally,
    _ group: any ProcessGroup
  ) throws {
    let total = jobs.photos.count
    // A few for each process, so that all end at about the same time; but whole batches.
    let few = max(1, min(16, total / (group.size * 8 * VGGEncoder.batchSize)))
    let size = group.isShared ? few * VGGEncoder.batchSize : max(1, total)
    let counter = try group.makeCounter()
    let strategy = try search.strategy(captions: captions, vocabulary: captioner.description.vocabulary)
    var explanations = explain.map { Explanations(path: $0, model: captioner.path) }
    var progress = BatchProgress(
      total: total,
      shown: group.isFirst && (writer.format != .text || isatty(1) == 0 || writing.output != nil))
    let failedBefore = tally.failed
    while case let first = try counter.add(size), first < total {
      let chunk = first..<min(total, first + size)
      try captioner.caption(Array(jobs.photos[chunk])) { maps, places in
        // An image's random numbers are named by its place among those given.
        captioner.captions(maps, strategy, streams: places.map { UInt64(jobs.places[first + $0]) })
      } found: { place, result in
        counter.answer()
        progress.update(first + place + 1)
        try found(first + place, result)
      }
    }
    try counter.close()
    progress.finish(failed: tally.failed - failedBefore)
    for shown in explanations { try shown.write() }

    func found(_ place: Int, _ result: Result<[Caption], ImageError>) throws {
      let photo = jobs.photos[place]
      switch result {
      case .success(let captions):
        let sure = captions.filter(confidence.isSure)
        do {
          if !sure.isEmpty { try jobs.files?.write(sure, of: photo, jobs.kinds[place]) }
        } catch {
          tally.failed += 1
          return try writer.write(image: photo, error: "\(error)")
        }
        if sure.isEmpty { tally.unsure += 1 } else { tally.captioned += 1 }
        try writer.write(image: photo, captions: writer.format == .text ? captions : sure)
        if let best = captions.first, !explanations.allSatisfy(\.isFull) {
          do {
            let photo = try explained(photo, best, captioner)
            for index in explanations.indices { explanations[index].add(photo) }
          } catch let error as ImageError {
            Console.complain("\(error); it is not among the explanations")
          }
        }
      case .failure(let error):
        tally.failed += 1
        try writer.write(image: photo, error: error.description)
      }
    }
  }

  /// A photo again, and where the model looked for the words of its caption.
  private func explained(
    _ path: String, _ caption: Caption, _ captioner: CaptionModel
  ) throws -> ExplainedPhoto {
    let preprocessing = captioner.description.preprocessing
    let image = try captioner.encoder.reader.fitted(contentsOf: path, to: preprocessing) {
      ImageCrop(all: $0)
    }.image
    let input = ImageLoader(preprocessing).input([image])
    return ExplainedPhoto(
      path: path, image: image, caption: caption,
      explanation: try captioner.explanation(of: captioner.words(of: caption), input))
  }
}

/// What became of the photos.
struct Tally {
  var captioned = 0
  /// Photos that had what was asked for, and photos whose captions are all less sure than was asked for.
  var (skipped, unsure) = (0, 0)
  var failed = 0

  /// Says so, unless all were captioned or the only one was not.
  func tell() {
    let counts = [
      (captioned, "captioned"), (skipped, "skipped"), (unsure, "not sure enough"), (failed, "failed"),
    ]
    let isTold = skipped + unsure > 0 || failed > 0 && captioned + failed > 1
    guard isTold else { return }
    Console.note(
      counts.filter { $0.0 > 0 || $0.1 == "captioned" }.map { "\($0.0) \($0.1)" }.joined(separator: ", "))
  }
}

/// A page or, by its name, a picture of where the model looked.
private struct Explanations {
  private let path: String
  private var page: ExplanationPage?
  private var picture: ExplanationPicture?

  init(path: String, model: String) {
    self.path = path
    if path.lowercased().hasSuffix(".png") { picture = .init() } else { page = .init(model: model) }
  }

  var isFull: Bool { page?.isFull ?? picture?.isFull ?? true }

  mutating func add(_ photo: ExplainedPhoto) {
    page?.add(photo)
    picture?.add(photo)
  }

  func write() throws(ReportError) {
    try page?.write(to: path)
    try picture?.write(to: path)
  }
}

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
        captioner caption photos/ --explain page.html
        captioner caption photo.jpg --explain picture.png
        curl -s https://example.org/photo.jpg | captioner caption -
      """)

  @Argument(help: "Image files, folders of them, or - for standard input.") var paths: [String]
  @OptionGroup var photos: PhotoOptions
  @OptionGroup var folders: FolderOptions
  @OptionGroup var model: ModelOption
  @OptionGroup var search: SearchFlags
  @Option(
    help: ArgumentHelp(
      "Captions per image, the best first; at most the beam width, or 100 with --sample.", valueName: "n"))
  var captions = 1
  @Option(help: "text, json (one object a line) or csv.") var format = CaptionFormat.text
  @Option(
    help: ArgumentHelp(
      "Shows where the model looks for each word: FILE.html of the first \(ExplanationPage.limit) photos, FILE.png of the first \(ExplanationPicture.limit); may be repeated.",
      valueName: "file")) var explain: [String] = []
  @OptionGroup var encoding: ArithmeticOption
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    try search.check(captions: captions, option: "--captions")
    guard paths.count(where: { $0 == "-" }) <= 1 else { throw ValidationError("- may be given once") }
    guard explain.isEmpty || !paths.contains("-") else {
      throw ValidationError("--explain reads a photo again, which standard input can't be")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      let modelPath = try model.resolved()
      var (files, failures): ([String], Int) = ([], 0)
      var writer = CaptionWriter(format: format)
      for path in paths {
        var unread: [ImageError] = []
        if path == "-" {
          files.append(path)
        } else {
          do throws(ImageError) {
            let listing = try folders.list(path)
            files += listing.files
            unread = listing.failures
            if listing.files.isEmpty, unread.isEmpty {
              throw .unreadable(path: path, reason: listing.lack)
            }
          } catch { unread.append(error) }
        }
        failures += unread.count
        for error in unread { try writer.write(image: error.path, error: error.description) }
      }
      writer.namesImages = paths.count > 1 || files.count != 1 || files != paths
      let captioner = try CaptionModel(
        contentsOf: modelPath,
        caching: files.count < VGGEncoder.batchSize && explain.isEmpty ? .streamed : .resident,
        arithmetic: encoding.arithmetic)
      captioner.encoder.reader = photos.reader
      captioner.encoder.reader.takesStandardInput = true
      var outputs = Outputs(readingFrom: files + [modelPath])
      for path in explain { try outputs.add(path, "--explain") }
      let unread = try caption(files, captioner, &writer)
      failures += unread
      guard failures == 0 else {
        if files.count + failures - unread > 1 {
          Console.note("\(files.count - unread) captioned, \(failures) failed")
        }
        throw ExitCode(1)
      }
    }
  }

  private func caption(_ files: [String], _ captioner: CaptionModel, _ writer: inout CaptionWriter) throws
    -> Int
  {
    let strategy = try search.strategy(captions: captions, vocabulary: captioner.description.vocabulary)
    var failures = 0
    var explanations = explain.map { Explanations(path: $0, model: captioner.path) }
    var progress = BatchProgress(total: files.count, shown: format != .text || isatty(1) == 0)
    try captioner.caption(files) { maps, places in
      // An image's random numbers are named by its place among those given.
      captioner.captions(maps, strategy, streams: places.map(UInt64.init))
    } found: { place, result in
      switch result {
      case .success(let captions):
        try writer.write(image: files[place], captions: captions)
        if let best = captions.first, !explanations.allSatisfy(\.isFull) {
          do {
            let photo = try explained(files[place], best, captioner)
            for index in explanations.indices { explanations[index].add(photo) }
          } catch let error as ImageError {
            Console.complain("\(error); it is not among the explanations")
          }
        }
      case .failure(let error):
        failures += 1
        try writer.write(image: files[place], error: error.description)
      }
      progress.update(place + 1)
    }
    progress.finish(failed: failures)
    for shown in explanations { try shown.write() }
    return failures
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

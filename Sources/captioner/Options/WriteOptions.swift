import ArgumentParser
import Support

/// Where captions are written, beside being printed.
struct WriteOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Writes captions where people look: txt (photo.txt beside photo.jpg), xmp (a side file, photo.jpg.xmp) or embedded (in the photo's own XMP and IPTC); may be repeated.",
      valueName: "kind"))
  var write: [CaptionFiles.Kind] = []
  @Option(
    help: ArgumentHelp("The folder for what --write makes; embedded then writes copies.", valueName: "folder")
  )
  var writeTo: String?
  @Option(
    help: ArgumentHelp(
      "What --write puts before captions, as \"sks style, \"; --prefix is another thing: it has captions begin so.",
      valueName: "text"))
  var textBefore = ""
  @Option(help: ArgumentHelp("What --write puts after captions.", valueName: "text")) var textAfter = ""
  @Option(
    help: ArgumentHelp(
      "Writes to a file what would be printed, as JSON lines or CSV, by --format or the file's ending; goes on from what an interrupted run left in it.",
      valueName: "file"))
  var output: String?
  @Flag(help: "Leave photos alone that have what --write makes.") var skipExisting = false
  @Flag(help: "Replace what --write makes where it is there; begin --output anew.") var overwrite = false

  func validate() throws {
    for (option, text) in [("--text-before", textBefore), ("--text-after", textAfter)] where !text.isEmpty {
      guard !write.isEmpty else { throw ValidationError("\(option): only with --write, whose text it is") }
      guard text.printable() == text else {
        throw ValidationError("\(option): expected text on one line, found \"\(text.printable())\"")
      }
    }
    guard writeTo == nil || !write.isEmpty else {
      throw ValidationError("--write-to: only with --write, for whose files it is")
    }
    guard !skipExisting || !overwrite else {
      throw ValidationError("--skip-existing and --overwrite: expected one of them")
    }
    guard !skipExisting || !write.isEmpty else {
      throw ValidationError(
        "--skip-existing: only with --write; photos that are in --output already are skipped anyway")
    }
    guard !overwrite || !write.isEmpty || output != nil else {
      throw ValidationError("--overwrite: only with --write or --output")
    }
  }

  /// The format of `--output`: what `--format` says, else what the file's name ends in.
  func check(_ format: CaptionFormat?) throws {
    guard output != "-" else {
      throw ValidationError("--output: expected a file, found -; what is not written to one is printed")
    }
    guard let output, CaptionFormat(format, output: output) == .text else { return }
    throw ValidationError(
      "--output: expected --format json or csv, or a file that ends in .jsonl, .json or .csv, found \(output)"
    )
  }

  /// The files that `--write` makes; nil: none.
  var files: CaptionFiles? {
    guard !write.isEmpty else { return nil }
    let kinds = CaptionFiles.Kind.allCases.filter(write.contains)
    return CaptionFiles(
      kinds: kinds, folder: writeTo,
      existing: overwrite ? .replaced : skipExisting ? .skipped : .refused, before: textBefore,
      after: textAfter)
  }
}

extension CaptionFormat {
  /// What is asked for, else told by the name of the file that it is for.
  init(_ asked: CaptionFormat?, output: String?) {
    let name = output?.lowercased() ?? ""
    self =
      asked
      ?? ([".json", ".jsonl", ".ndjson"].contains(where: name.hasSuffix)
        ? .json : name.hasSuffix(".csv") ? .csv : .text)
  }
}

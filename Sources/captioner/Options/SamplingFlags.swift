import ArgumentParser

/// Captions drawn at random instead of searched for.
struct SamplingFlags: ParsableArguments {
  @Flag(help: "Draw captions at random, --captions of them, instead of searching for the likeliest.")
  var sample = false
  @Option(
    help: ArgumentHelp("Below 1 likely words become likelier, above 1 others (default: 1).", valueName: "T"))
  var temperature: Double?
  @Option(help: ArgumentHelp("Draw each word among the k likeliest (default: all).", valueName: "k"))
  var topK: Int?
  @Option(
    help: ArgumentHelp("Draw among the likeliest words that make up p together (default: 1).", valueName: "p")
  )
  var topP: Double?
  @Option(help: ArgumentHelp("The same seed gives the same captions (default: 0).", valueName: "n"))
  var seed: UInt64?

  func validate() throws {
    for (name, given) in [
      ("temperature", temperature != nil), ("top-k", topK != nil), ("top-p", topP != nil),
      ("seed", seed != nil),
    ] where given && !sample { throw ValidationError("--\(name): only with --sample") }
    if let temperature, !(0.001...1000).contains(temperature) {
      throw ValidationError("--temperature: expected 0.001 to 1000, found \(temperature)")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k: expected 1 or more, found \(topK)") }
    if let topP, !(topP > 0 && topP <= 1) {
      throw ValidationError("--top-p: expected more than 0, at most 1, found \(topP)")
    }
  }
}

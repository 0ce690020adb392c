public import ArgumentParser
public import Support

/// The part of the photos that a process takes of what several share.
struct ShardOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Takes part K of N of the photos, as many processes or machines do that see the same ones; captioner merge puts their outputs together.",
      valueName: "k/n"))
  var shard: Shard?

  /// Which of so many files are its own.
  func range(of count: Int) -> Range<Int> { shard?.range(of: count) ?? 0..<count }
  /// Whether it tells what can't be read of folders, which all parts see.
  var tellsFailures: Bool { shard.map { $0.number == 1 } ?? true }
}

extension Shard: ExpressibleByArgument {
  /// A part as it is typed, `2/4`.
  public init?(argument: String) { self.init(argument) }
}

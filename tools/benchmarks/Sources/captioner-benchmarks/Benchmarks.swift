import ArgumentParser

@main struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "captioner-benchmarks",
    abstract: "Times parts of the engine; `run` sets them beside their peers.",
    subcommands: [
      EncoderBenchmark.self, LayerBenchmark.self, TrainEpochBenchmark.self, FineTuneBenchmark.self,
      BeamBenchmark.self, DecoderStepBenchmark.self, CaptionsBenchmark.self, JPEGBenchmark.self,
      FolderEncoderBenchmark.self, DecodingDifference.self, LanguageModelBenchmark.self,
    ])
}

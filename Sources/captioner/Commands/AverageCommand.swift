import ArgumentParser
import Models
import Foundation
import Support

/// `captioner average`: one model out of several that began as one.
struct AverageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "average", abstract: "Averages models that were trained on from the same model.",
    usage: "captioner average [<options>] <model> ... --output <file>",
    discussion: """
      The mean of the weights of several short runs from one start (train --start)
      is often better than each of them (a model soup, Wortsman et al. 2022).
      --temperature divides the logits: above 1, probabilities become more modest,
      as they should after self-critical training.

      Examples:
        captioner average run1/model.safetensors run2/model.safetensors \\
          --output model.safetensors
        captioner average model.safetensors --temperature 1.1 \\
          --output modest.safetensors
      """)

  @Argument(help: ArgumentHelp("Model files.", valueName: "model")) var models: [String]
  @Option(help: ArgumentHelp("Where to write the model.", valueName: "file")) var output: String
  @Option(help: "What the logits are divided by, 0.1 to 10.") var temperature = 1.0
  @OptionGroup var engine: EngineOptions

  func validate() throws {
    guard (0.1...10).contains(temperature) else {
      throw ValidationError("--temperature: expected 0.1 to 10, found \(temperature)")
    }
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      var outputs = Outputs(readingFrom: models)
      try outputs.add(output, "--output")
      try ModelAverage.write(models, temperature: temperature, to: output)
      Console.note("\(output): the average of \(models.count) model\(models.count == 1 ? "" : "s")")
    }
  }
}

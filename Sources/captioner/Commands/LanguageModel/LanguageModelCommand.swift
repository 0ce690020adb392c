import ArgumentParser

/// `captioner language-model`: models of text alone, of which every subcommand is a file of this folder.
struct LanguageModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "language-model", abstract: "Trains language models of text alone, draws and scores text.",
    discussion: """
      Characters or words, with every cell that captioners have.

      Examples:
        captioner language-model train book.txt --output run
        captioner language-model sample run/model.safetensors --length 500
        captioner language-model score run/model.safetensors other.txt
        captioner language-model n-gram book.txt --order 5
        captioner language-model cells run/model.safetensors book.txt --output cells.html
        captioner language-model gradients --output gradients.html
      """,
    subcommands: [
      LanguageModelTrainCommand.self, LanguageModelSampleCommand.self, LanguageModelScoreCommand.self,
      LanguageModelNGramCommand.self, LanguageModelCellsCommand.self, LanguageModelGradientsCommand.self,
    ])
}

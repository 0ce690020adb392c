import ArgumentParser

/// `--features` of models that were trained on features of another program's encoder.
struct FeatureOption: ParsableArguments {
  @Option(
    name: .customLong("features"),
    help: ArgumentHelp(
      "Features of the images, for a model that was trained on such (train --features); may be repeated.",
      valueName: "file"))
  var files: [String] = []
}

import ArgumentParser
import Training

/// The options of a training run on the command line, under the headings of their sections.
struct TrainOptions: ParsableArguments {
  /// Options that `--help` leaves to `--help-hidden`: their defaults suit nearly every run.
  static let rarelyUsed: Set<String> = [
    "long-captions", "length-buckets", "consensus", "feature-size", "forget-bias", "injection",
    "image-layer", "initial-states", "region-grid", "region-size", "attention-size", "attention-gate",
    "region-dropout", "attention-penalty", "fine-tune-after",
    "encoder-optimizer", "encoder-weight-decay", "micro-batch", "batch-unit", "momentum", "nesterov",
    "decay-every",
    "decay-patience", "clip-norm", "average-decay", "pooled-dropout", "feature-dropout", "embedding-dropout",
    "layer-dropout", "sampling-k", "sampling-c", "sampling-floor", "sampling-coin", "sampling-choice",
    "teacher-weight", "reward-references", "label-batch", "smallest-crop", "crop-ratio", "mirror-chance",
    "brightness-jitter", "contrast-jitter", "saturation-jitter",
    "label-captions-until", "teacher-temperature", "teacher-batch", "validation-beam-width",
  ]

  @OptionGroup(title: DataSection.section.title) var data: SettingOptions<DataSection>
  @OptionGroup(title: BesideSection.section.title) var beside: SettingOptions<BesideSection>
  @OptionGroup(title: ModelSection.section.title) var model: SettingOptions<ModelSection>
  @OptionGroup(title: EncoderSection.section.title) var encoder: SettingOptions<EncoderSection>
  @OptionGroup(title: OptimisationSection.section.title)
  var optimisation: SettingOptions<OptimisationSection>
  @OptionGroup(title: RegularisationSection.section.title)
  var regularisation: SettingOptions<RegularisationSection>
  @OptionGroup(title: SamplingSection.section.title) var sampling: SettingOptions<SamplingSection>
  @OptionGroup(title: OutputSection.section.title) var output: SettingOptions<OutputSection>

  private var given: [SettingAssignment] {
    data.given + beside.given + model.given + encoder.given + optimisation.given + regularisation.given
      + sampling.given
      + output.given
  }

  /// Sets the options that were given.
  /// - Throws: `UsageError` when one of them has no effect in the run that results.
  func apply(to configuration: inout TrainingConfiguration) throws {
    for assignment in given { assignment.apply(to: &configuration) }
    for assignment in given {
      if let idleness = assignment.setting.idleness(in: configuration) {
        throw UsageError(description: idleness)
      }
    }
  }
}

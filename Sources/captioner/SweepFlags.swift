import ArgumentParser
import Captioning
import Decoding

/// The searches that `evaluate` compares.
struct SweepFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Beam widths to compare, such as 1,3,5,10.", valueName: "list"))
  var sweepBeamWidths: List<BeamWidth>?
  @Option(
    help: ArgumentHelp("Length normalisations to compare, such as none,average,wu:0.7.", valueName: "list"))
  var sweepLengthNormalizations: List<NamedNormalization>?

  /// Values with commas between them.
  struct List<Element: ExpressibleByArgument>: ExpressibleByArgument {
    let values: [Element]

    init?(argument: String) {
      let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
      values = parts.compactMap { Element(argument: String($0)) }
      guard values.count == parts.count else { return nil }
    }
  }

  /// 1 to 64.
  struct BeamWidth: ExpressibleByArgument {
    let value: Int

    init?(argument: String) {
      guard let value = Int(argument), (1...64).contains(value) else { return nil }
      self.value = value
    }
  }

  /// `none`, `average`, `wu` or `wu:` and α.
  struct NamedNormalization: ExpressibleByArgument {
    let value: LengthNormalization

    init?(argument: String) {
      switch argument {
      case "none": value = .none
      case "average": value = .average
      case "wu": value = .wu(alpha: 0.6)
      default:
        guard argument.hasPrefix("wu:"), let alpha = Double(argument.dropFirst(3)), (0...10).contains(alpha)
        else { return nil }
        value = .wu(alpha: alpha)
      }
    }
  }

  /// Every combination, other options being as they are; none if nothing is to be compared.
  func points(_ options: BeamOptions) -> [BeamOptions] {
    if sweepBeamWidths == nil && sweepLengthNormalizations == nil { return [] }
    let widths = sweepBeamWidths?.values.map(\.value) ?? [options.beamWidth]
    let normalizations = sweepLengthNormalizations?.values.map(\.value) ?? [options.lengthNormalization]
    return widths.flatMap { width in
      normalizations.map { normalization in
        var point = options
        (point.beamWidth, point.captions, point.lengthNormalization) = (width, 1, normalization)
        return point
      }
    }
  }
}

extension LengthNormalization {
  /// As `--sweep-length-normalizations` takes it.
  var name: String {
    switch self {
    case .none: "none"
    case .average: "average"
    case .wu(let alpha): "wu:\(alpha)"
    }
  }
}

import ArgumentParser
import Models
import Decoding

/// The searches that `evaluate` compares.
struct SweepFlags: ParsableArguments {
  @Option(
    name: .customLong("sweep-beam-widths"),
    help: ArgumentHelp("Beam widths to compare, 1 to 64, such as 1,3,5,10.", valueName: "list"))
  var beamWidths: List<BeamWidth>?
  @Option(
    name: .customLong("sweep-length-normalizations"),
    help: ArgumentHelp("Length normalisations to compare, such as none,average,wu:0.7.", valueName: "list"))
  var lengthNormalizations: List<NamedNormalization>?

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
    if beamWidths == nil && lengthNormalizations == nil { return [] }
    let widths = beamWidths?.values.map(\.value) ?? [options.beamWidth]
    let normalizations = lengthNormalizations?.values.map(\.value) ?? [options.lengthNormalization]
    return widths.flatMap { width in
      normalizations.map { normalization in
        var point = options
        point.beamWidth = width
        point.captions = 1
        point.lengthNormalization = normalization
        return point
      }
    }
  }
}

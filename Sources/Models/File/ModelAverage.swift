internal import Foundation
internal import Tensors

/// The average of models that began as one (a model soup: Wortsman et al. 2022): often better than each, and no larger.
/// Models that did not begin as one have nothing in common and their average says nothing.
public enum ModelAverage {
  /// Writes the mean of every tensor of `paths`, stored as the first has it.
  /// - Parameter temperature: what the logits are divided by (Guo et al. 2017): above 1 the captions' probabilities
  ///   become more modest, and their order hardly changes.
  /// - Throws: `ModelError` for files that are no models or differ in words, sizes or preprocessing; `SafetensorsError`.
  public static func write(_ paths: [String], temperature: Double = 1, to output: String) throws {
    precondition(!paths.isEmpty && temperature > 0)
    var files: [SafetensorsFile] = []
    for path in paths { files.append(try SafetensorsFile(path: path)) }
    var description = try ModelDescription(of: files[0])
    // It was fitted on another model's log-probabilities.
    description.confidence = nil
    for file in files.dropFirst() {
      let other = try ModelDescription(of: file)
      try description.check(other, at: file.path)
      if let scale = description.decoder.attention?.scale, scale != other.decoder.attention?.scale {
        throw ModelError.unsupported(
          path: file.path, expected: "regions times \(scale), as in \(paths[0])",
          found: "\(other.decoder.attention?.scale ?? 1)")
      }
      if let scale = description.encoder.given?.scale, scale != other.encoder.given?.scale {
        throw ModelError.unsupported(
          path: file.path, expected: "features times \(scale), as in \(paths[0])",
          found: "\(other.encoder.given?.scale ?? 1)")
      }
      // Coordinates along other components have nothing in common.
      for name in files[0].entries.keys.sorted() where name.hasPrefix("encoder.normalization.") {
        guard try file.tensor(named: name) == files[0].tensor(named: name) else {
          throw ModelError.unsupported(
            path: file.path, expected: "\(name) as in \(paths[0])", found: "another")
        }
      }
      // Of where they come from, what is true of all.
      description.training = description.training.filter { other.training[$0.key] == $0.value }
    }
    var items: [SafetensorsWriter.Item] = []
    for name in files[0].entries.keys.sorted() {
      let isLogit = name.hasPrefix("decoder.output.")
      let mean = try mean(of: name, in: files, times: isLogit ? 1 / Float(temperature) : 1)
      let type = files[0].entries[name].flatMap { StoredType(rawValue: $0.typeName) } ?? .float32
      items.append(.init(name: name, tensor: mean, type: type))
    }
    description.training["average_of"] = String(paths.count)
    if temperature != 1 { description.training["temperature"] = "\(temperature)" }
    try SafetensorsWriter.write(items, metadata: description.metadata(), to: output)
  }

  private static func mean(of name: String, in files: [SafetensorsFile], times factor: Float) throws -> Tensor
  {
    let first = try files[0].tensor(named: name)
    var sums = [Double](repeating: 0, count: first.count)
    for file in files {
      let tensor = try file.tensor(named: name, shape: first.shape)
      tensor.withUnsafeBufferPointer { scalars in
        for (index, scalar) in scalars.enumerated() { sums[index] += Double(scalar) }
      }
    }
    let weight = Double(factor) / Double(files.count)
    return Tensor(sums.map { Float($0 * weight) }, first.shape)
  }
}

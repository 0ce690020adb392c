import ArgumentParser
import Foundation
import Kernels
import LanguageModels
import Reporting
import Support
import Tensors

/// `captioner language-model cells`: what single cells do as they read.
struct LanguageModelCellsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cells", abstract: "Shows which cells of a language model follow what in a text.",
    usage: "captioner language-model cells [<options>] <model> <text> --output <page>",
    discussion: """
      Reads a text and looks for cells that follow something with a name: whether
      it is inside quotes, the place in the line, the depth of brackets, … (Karpathy,
      Johnson & Li 2015). A cell is chosen on the first half of the text, and what
      is told of it is of the second. The page shows the beginning of the text
      coloured by the cells that follow best, tanh(c) of LSTMs and h of others, and
      how often gates are shut and open. Prints a line for each property, the
      correlation on the second half first.

      JSON, one object a line: property, cell, correlation, auc (of properties that
      are so or not), chosen_by (the correlation on the first half).

      Examples:
        captioner language-model cells run/model.safetensors book.txt \\
          --output cells.html
        captioner language-model cells run/model.safetensors Sources.txt \\
          --output cells.html --layer 2 --cell 17 --cell 40
        captioner language-model cells run/model.safetensors Sources.txt \\
          --output cells.html --picture comments.svg \\
          --property "in a comment after //"
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Model file of characters that language-model train made.") var model: String
  @Argument(help: "Text file.") var text: String
  @Option(help: ArgumentHelp("Where to write the page.", valueName: "page")) var output: String
  @Option(help: ArgumentHelp("Layer, 1 the lowest (default: the highest).", valueName: "n")) var layer: Int?
  @Option(
    help: ArgumentHelp("Show this cell's colours too, from 0; may be repeated.", valueName: "n"))
  var cell: [Int] = []
  @Option(help: ArgumentHelp("Characters that are read.", valueName: "n")) var characters = 50_000
  @Option(help: ArgumentHelp("Characters that each picture shows.", valueName: "n")) var shown = 3000
  @Option(help: ArgumentHelp("Properties that get a picture, the best followed.", valueName: "n"))
  var pictures = 8
  @Option(
    help: ArgumentHelp("Where to write one cell's picture, an SVG for documents.", valueName: "file"))
  var picture: String?
  @Option(
    help: ArgumentHelp(
      "What the cell of --picture follows best (default: what is followed best of all).", valueName: "name"))
  var property: String?
  @Option(help: "text or json (one object a line).") var format = Format.text
  @OptionGroup var engine: EngineOptions

  /// What is kept of a text is its length times the layer's width.
  private static let mostNumbers = 1 << 29

  func validate() throws {
    for (name, value, range) in [
      ("characters", characters, 200...1_000_000), ("shown", shown, 1...100_000),
      ("pictures", pictures, 0...100),
    ] where !range.contains(value) {
      throw ValidationError(
        "--\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
    }
    guard cell.count <= 100 else {
      throw ValidationError("--cell: expected 100 at most, found \(cell.count)")
    }
    guard property == nil || picture != nil else { throw ValidationError("--property: only with --picture") }
  }

  private struct Row: Encodable {
    let property: String
    let cell: Int
    let correlation: Double
    let auc: Double?
    let chosen_by: Double
  }

  func run() throws {
    engine.apply()
    try reportingErrors {
      var outputs = Outputs(readingFrom: [model, text])
      try outputs.add(output, "--output")
      if let picture { try outputs.add(picture, "--picture") }
      let model = try LanguageModel(contentsOf: model)
      let read = try ReadText(model, text, layer: layer, characters: characters, most: Self.mostNumbers)
      for number in cell where !(0..<read.units).contains(number) {
        throw UsageError(description: "--cell: expected 0 to \(read.units - 1), found \(number)")
      }
      let tracked = CellTracking.all(
        read.cells.matrix, TextProperty.all(of: read.scalars), best: 5, on: .cpu)
      let pictured = try picture.map { _ in try self.pictured(read, tracked) }
      try page(read, tracked).write(to: output)
      if let picture { try pictured?.write(to: picture) }
      try show(tracked)
      Console.note(
        "\(output): \(tracked.count) properties, \(read.units) cells, \(read.scalars.count) characters")
    }
  }

  private func show(_ tracked: [CellTracking]) throws {
    for property in tracked {
      guard let best = property.cells.first else { continue }
      if format == .json {
        try Console.print(
          Console.json(
            Row(
              property: property.property, cell: best.number, correlation: best.correlation, auc: best.auc,
              chosen_by: best.chosenBy)))
      } else {
        let auc = best.auc.map { String(format: ", AUC %.3f", $0) } ?? ""
        try Console.print(
          String(format: "%6.3f  cell %d  ", best.correlation, best.number) + property.property + auc)
      }
    }
  }

  /// The picture of one cell.
  private func pictured(_ read: ReadText, _ tracked: [CellTracking]) throws -> CellPicture {
    guard let found = tracked.first(where: { $0.property == property ?? $0.property }),
      let best = found.cells.first
    else {
      let names = tracked.map(\.property).joined(separator: ", ")
      throw UsageError(
        description: property == nil
          ? "--picture: expected a text that has enough of something to follow, found none"
          : "--property: expected one of \(names), found \(property ?? "")")
    }
    let count = min(shown, read.scalars.count)
    return CellPicture(
      CellsPage.Cell(
        title: found.property, note: Self.note(best), activations: read.activations(of: best.number, count)),
      of: Array(read.scalars.prefix(count)))
  }

  // MARK: The page

  private func page(_ read: ReadText, _ tracked: [CellTracking]) -> CellsPage {
    let count = min(shown, read.scalars.count)
    let followed = tracked.prefix(pictures).compactMap { property -> CellsPage.Cell? in
      guard let best = property.cells.first else { return nil }
      return CellsPage.Cell(
        title: property.property, note: Self.note(best), activations: read.activations(of: best.number, count)
      )
    }
    let asked = cell.map { number in
      CellsPage.Cell(
        title: "Cell \(number)", note: Self.note(of: number, in: tracked),
        activations: read.activations(of: number, count))
    }
    let rows = tracked.flatMap { property in
      property.cells.prefix(2).enumerated().map { place, cell in
        [
          place == 0 ? property.property : "… the next", "\(cell.number)\(cell.isInverted ? " (falls)" : "")",
          Self.number(cell.correlation), cell.auc.map(Self.number) ?? "–", Self.number(abs(cell.chosenBy)),
        ]
      }
    }
    let saturation = read.saturation.map { gate in
      ScatterPlot(
        "Gate \(gate.gate)",
        summary: "Shares of time at which each unit's gate \(gate.gate) is saturated",
        .shares(x: "right-saturated share; upwards: left-saturated"),
        gate.left.indices.map { unit in
          ScatterPlot.Point(
            gate.right[unit], gate.left[unit],
            label:
              "unit \(unit): open \(Self.percent(gate.right[unit])), shut \(Self.percent(gate.left[unit]))")
        })
    }
    let name = FileName.split(text).name
    return CellsPage(
      title: "What cells follow in \(name)",
      subtitle: "Layer \(read.layer + 1) of \(read.layers), \(read.units) cells (\(read.cellName)), "
        + "over \(read.scalars.count) characters. Blue is \(read.meaning) above 0, red below; the deeper, the further.",
      text: Array(read.scalars.prefix(count)), cells: followed + asked,
      table: PlotPage.Table(
        "Properties of the text, the best followed first",
        ["Property", "Cell", "Correlation", "AUC", "… on the first half"], rows),
      saturation: saturation)
  }

  private static func note(_ cell: CellTracking.Cell) -> String {
    let auc = cell.auc.map { String(format: " (AUC %.3f)", $0) } ?? ""
    return "Cell \(cell.number)\(cell.isInverted ? ", which falls where it is so" : ""): correlation "
      + String(format: "%.3f", cell.correlation) + auc + " on the second half of the text."
  }

  /// What a cell that was asked for follows best.
  private static func note(of number: Int, in tracked: [CellTracking]) -> String {
    for property in tracked {
      if let cell = property.cells.first(where: { $0.number == number }) {
        return "Among the best for: \(property.property). " + note(cell)
      }
    }
    return "Among the best for nothing that was looked for."
  }

  private static func number(_ value: Double) -> String { String(format: "%.3f", value) }
  private static func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
}

/// A text that a model has read, and what a layer did.
private struct ReadText {
  let scalars: [Unicode.Scalar]
  /// tanh(c) of a cell with a c, else h [T, H].
  let cells: Tensor
  let saturation: [GateSaturation]
  /// From 0, and of how many.
  let layer, layers: Int
  let cellName: String
  /// What the colours are of.
  let meaning: String

  var units: Int { cells.shape[1] }

  /// What a cell did at the first characters.
  func activations(of cell: Int, _ count: Int) -> [Float] { (0..<count).map { cells[$0 * units + cell] } }

  init(_ model: LanguageModel, _ path: String, layer asked: Int?, characters: Int, most: Int) throws {
    let description = model.description
    guard description.unit == .characters else {
      throw Failure(description: "the model: expected one of characters, found one of words")
    }
    layers = description.layers
    guard (1...layers).contains(asked ?? layers) else {
      throw UsageError(description: "--layer: expected 1 to \(layers), found \(asked ?? 0)")
    }
    layer = (asked ?? layers) - 1
    let cell = description.cell.cell
    let width = description.hiddenSize * (cell.gates + cell.states)
    guard characters <= most / width else {
      throw UsageError(
        description: "--characters: expected at most \(most / width) of a layer of \(description.hiddenSize) "
          + "units, found \(characters)")
    }
    let text = try EncodedText(contentsOf: [path], as: model.vocabulary)
    let whole = try CharacterText(contentsOf: [path]).scalars
    scalars = Array(whole.prefix(characters))
    guard scalars.count >= 200 else {
      throw Failure(description: "\(path): expected 200 characters at least, found \(scalars.count)")
    }
    let seen = model.activations(of: Array(text.tokens.prefix(characters)), layer: layer)
    cellName = description.cell.rawValue
    saturation = GateSaturation.all(seen.gates.matrix, of: cell)
    // Of states beside h there is c alone.
    var cells = seen.states[seen.states.count - 1]
    if seen.states.count > 1 {
      cells.withUnsafeMutableBufferPointer { values in
        for place in values.indices { values[place] = tanh(values[place]) }
      }
    }
    self.cells = cells
    meaning = seen.states.count > 1 ? "tanh(c)" : "h"
  }
}

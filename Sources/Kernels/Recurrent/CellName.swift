/// The cells that a decoder may be made of: a new one is added here.
public let recurrentCells: [any RecurrentCell.Type] = [
  LSTM.self, PeepholeLSTM.self, CoupledLSTM.self, NoForgetLSTM.self, MaxoutLSTM.self, LinearLSTM.self,
  GRU.self,
  MUT1.self, MUT2.self, MUT3.self, MinGRU.self, RNN.self, IRNN.self,
]

/// The name of one of `recurrentCells`: `lstm`.
public struct CellName: RawRepresentable, CaseIterable, Codable, Hashable, Sendable {
  /// As in a model file and on the command line.
  public let rawValue: String

  /// The cell of that name; nil: there is none.
  public init?(rawValue: String) {
    guard recurrentCells.contains(where: { $0.name == rawValue }) else { return nil }
    self.rawValue = rawValue
  }

  /// The name of a cell among `recurrentCells`.
  public init(_ cell: any RecurrentCell.Type) { rawValue = cell.name }

  /// All there are, `lstm` first.
  public static var allCases: [CellName] { recurrentCells.map { CellName($0) } }
  /// The one that a model file without a cell means.
  public static let lstm = CellName(LSTM.self)

  /// The cell.
  public var cell: any RecurrentCell.Type { recurrentCells.first { $0.name == rawValue } ?? LSTM.self }
}

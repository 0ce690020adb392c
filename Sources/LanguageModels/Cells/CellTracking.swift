internal import Foundation
public import Kernels

/// How well each cell of a recurrent layer follows a property of the text that it reads.
///
/// Cell and direction are chosen on the first half of the text, and what is told comes from the second: among hundreds of
/// cells and dozens of properties some go together by luck, but not twice.
public struct CellTracking: Sendable, Equatable {
  /// A cell, and how it goes with the property.
  public struct Cell: Sendable, Equatable {
    /// Its number.
    public let number: Int
    /// Pearson's correlation with the property on the first half, by which it was chosen.
    public let chosenBy: Double
    /// The same on the second half, positive where the direction is the same as on the first.
    public let correlation: Double
    /// Of a property of two values: the probability that the activation is higher (or lower, if so on the first half) where
    /// the property is 1 than where it is 0, on the second half.
    public let auc: Double?

    /// Whether the activation falls as the property rises.
    public var isInverted: Bool { chosenBy < 0 }
  }

  /// The property's name.
  public let property: String
  /// The cells that went with it best on the first half, the best first.
  public let cells: [Cell]

  /// Fewer characters of either kind than this in a half of the text tell nothing.
  public static let leastOccurrences = 30

  /// What each property that the text has enough of is followed by, the best first, by the correlation of its first cell on
  /// the second half.
  /// - Parameters:
  ///   - activations: [T, H], a row after each character.
  ///   - properties: each of T values.
  ///   - count: how many cells are told of each.
  public static func all(
    _ activations: Matrix, _ properties: [TextProperty], best count: Int = 5, on device: Device
  ) -> [CellTracking] {
    precondition(properties.allSatisfy { $0.values.count == activations.rows })
    let middle = activations.rows / 2
    let present = properties.filter { property in
      varies(property, 0..<middle) && varies(property, middle..<activations.rows)
    }
    let first = correlations(activations, present, 0..<middle, device)
    let second = correlations(activations, present, middle..<activations.rows, device)
    let tracked = present.indices.map { number in
      let order = first[number].indices.sorted { (abs(first[number][$1]), $0) < (abs(first[number][$0]), $1) }
      return CellTracking(
        property: present[number].name,
        cells: order.prefix(count).map { cell in
          let chosenBy = first[number][cell]
          let sign: Double = chosenBy < 0 ? -1 : 1
          return Cell(
            number: cell, chosenBy: chosenBy, correlation: sign * second[number][cell],
            auc: present[number].isBinary
              ? auc(activations, cell, sign, present[number], middle..<activations.rows) : nil)
        })
    }
    func score(_ tracking: CellTracking) -> Double { tracking.cells.first?.correlation ?? -1 }
    return tracked.enumerated().sorted { (score($1.element), $0.offset) < (score($0.element), $1.offset) }
      .map(\.element)
  }

  /// Whether there is enough of a property in a range.
  private static func varies(_ property: TextProperty, _ range: Range<Int>) -> Bool {
    guard let usual = property.values[range].first else { return false }
    // Of numbers too: as often another value as the first.
    let others = property.values[range].count { $0 != usual }
    return min(others, range.count - others) >= (property.isBinary ? leastOccurrences : 1)
      && others >= leastOccurrences
  }

  /// Pearson's correlation of each property with each cell over a range of characters, in double precision.
  private static func correlations(
    _ activations: Matrix, _ properties: [TextProperty], _ range: Range<Int>, _ device: Device
  ) -> [[Double]] {
    let size = activations.columns
    let count = Double(max(1, range.count))
    // Σ (a − a₀) and Σ (a − a₀)², where a₀ is the first: sums of numbers around 0 lose less.
    var (sums, squares) = ([Double](repeating: 0, count: size), [Double](repeating: 0, count: size))
    let origin = range.isEmpty ? [] : (0..<size).map { activations[range.lowerBound][$0] }
    for row in range {
      let a = activations[row]
      for cell in 0..<size {
        let value = Double(a[cell] - origin[cell])
        sums[cell] += value
        squares[cell] += value * value
      }
    }
    return properties.map { property in
      let mean = property.values[range].reduce(0) { $0 + Double($1) } / count
      var (products, square) = ([Double](repeating: 0, count: size), 0.0)
      for row in range {
        let (a, f) = (activations[row], Double(property.values[row]) - mean)
        square += f * f
        for cell in 0..<size { products[cell] += Double(a[cell] - origin[cell]) * f }
      }
      return (0..<size).map { cell in
        let variance = squares[cell] - sums[cell] * sums[cell] / count
        // A cell that never moves goes with nothing.
        guard variance > 1e-12 * count, square > 0 else { return 0 }
        let correlation = products[cell] / (variance * square).squareRoot()
        return correlation.isFinite ? correlation : 0
      }
    }
  }

  /// The area under the ROC curve of a cell, by ranks (Mann & Whitney 1947), those of equal activations shared.
  private static func auc(
    _ activations: Matrix, _ cell: Int, _ sign: Double, _ property: TextProperty, _ range: Range<Int>
  ) -> Double {
    let pairs = range.map { (sign * Double(activations[$0][cell]), property.values[$0] > 0.5) }
      .sorted { $0.0 < $1.0 }
    let positives = pairs.count { $0.1 }
    var (ranks, start) = (0.0, 0)
    while start < pairs.count {
      var (end, own) = (start, 0)
      while end < pairs.count, end == start || pairs[end].0 == pairs[start].0 {
        if pairs[end].1 { own += 1 }
        end += 1
      }
      // Ranks start + 1 … end.
      ranks += Double(own) * Double(start + 1 + end) / 2
      start = end
    }
    let (p, n) = (Double(positives), Double(pairs.count - positives))
    return (ranks - p * (p + 1) / 2) / (p * n)
  }
}

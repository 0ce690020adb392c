/// The extent of each dimension of a tensor, outermost first.
///
/// Shape letters used throughout the project: B batch (captions), N images, T time, P packed positions,
/// V vocabulary, H hidden, E embedding, C channels in, K channels out, D image-feature width.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The extents, outermost first; none is negative.
  public let dimensions: [Int]

  /// A shape with the given extents.
  public init(_ dimensions: [Int]) {
    precondition(dimensions.allSatisfy { $0 >= 0 }, "negative extent in \(dimensions)")
    self.dimensions = dimensions
  }

  /// A shape written as a literal: `[2, 3]`.
  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// The number of scalars.
  public var count: Int { dimensions.reduce(1, *) }
  /// The number of dimensions.
  public var rank: Int { dimensions.count }
  /// The extent of dimension `index`.
  public subscript(index: Int) -> Int { dimensions[index] }

  /// For instance `[2, 3]`.
  public var description: String { "[\(dimensions.map(String.init).joined(separator: ", "))]" }
}

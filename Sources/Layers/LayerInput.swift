public import Kernels

/// What a layer reads at P positions: vectors, or which of E numbers is 1.
public protocol LayerInput {
  /// The vectors themselves [P, E]; nil where they are not in memory.
  var vectors: Matrix? { get }
  /// x Wᵀ of W [K, E] → y [P, K].
  func product(_ weight: Matrix, into y: MutableMatrix, on device: Device)
  /// δW = δyᵀ x [K, E], overwritten, of δy [P, K].
  func weightGradient(_ dy: Matrix, into dW: MutableMatrix, on device: Device)
}

extension Matrix: LayerInput {
  /// It.
  public var vectors: Matrix? { self }

  /// x Wᵀ.
  public func product(_ weight: Matrix, into y: MutableMatrix, on device: Device) {
    multiply(.plain(self), .transposed(weight), into: y, on: device)
  }

  /// δyᵀ x.
  public func weightGradient(_ dy: Matrix, into dW: MutableMatrix, on device: Device) {
    multiply(.transposed(dy), .plain(self), into: dW, on: device)
  }
}

/// Rows of E numbers, one of them 1 and the others 0: products with them only move numbers.
public struct OneHot: LayerInput {
  /// Which is 1 [P].
  public let indices: [Int32]

  /// Each index is in 0..<E of the weights that it is multiplied by.
  public init(_ indices: [Int32]) { self.indices = indices }

  /// Not in memory.
  public var vectors: Matrix? { nil }

  /// Columns of W.
  public func product(_ weight: Matrix, into y: MutableMatrix, on device: Device) {
    gatherColumns(indices, of: weight, into: y, on: device)
  }

  /// Sums of δy's rows in the columns of δW.
  public func weightGradient(_ dy: Matrix, into dW: MutableMatrix, on device: Device) {
    scatterAddColumns(dy, to: indices, into: dW, on: device)
  }
}

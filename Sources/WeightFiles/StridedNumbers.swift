internal import Support
internal import Tensors

/// Numbers of a file that are a tensor, whatever the order in which they lie: rows or columns first, a part of a larger
/// one, or one number for many places.
struct StridedNumbers: Sendable {
  /// What holds the bytes.
  enum Memory: Sendable {
    case file(MappedFile)
    /// Unpacked from what the file has.
    case own([UInt8])

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
      switch self {
      case .file(let file): withExtendedLifetime(file) { body(file.bytes) }
      case .own(let bytes): bytes.withUnsafeBytes(body)
      }
    }

    var count: Int {
      switch self {
      case .file(let file): file.bytes.count
      case .own(let bytes): bytes.count
      }
    }
  }

  let memory: Memory
  let type: ScalarType
  let bigEndian: Bool
  let shape: Shape
  /// Bytes from the memory's start to the first number.
  private let place: Int
  /// Numbers from one to the next along each dimension.
  private let strides: [Int]

  /// Why numbers are no tensor.
  struct Misfit: Error {
    let expected, found: String
  }

  /// A tensor in a range of bytes.
  /// - Parameters:
  ///   - extents: of each dimension, as the file says.
  ///   - strides: numbers from one to the next along each dimension; nil: rows first.
  ///   - offset: numbers before the first.
  /// - Throws: `Misfit` when a number would lie outside, or there are absurdly many.
  init(
    _ memory: Memory, _ range: Range<Int>, type: ScalarType, bigEndian: Bool, extents: [Int],
    strides: [Int]? = nil, offset: Int = 0
  ) throws(Misfit) {
    precondition(range.lowerBound >= 0 && range.upperBound <= memory.count)
    let shape = try Self.shape(extents)
    let count = shape.count
    var rowsFirst = [Int](repeating: 1, count: extents.count)
    for dimension in rowsFirst.indices.dropLast().reversed() {
      rowsFirst[dimension] = rowsFirst[dimension + 1] * max(extents[dimension + 1], 1)
    }
    let strides = strides ?? rowsFirst
    guard strides.count == extents.count, offset >= 0, strides.allSatisfy({ $0 >= 0 }) else {
      throw Misfit(
        expected: "\(extents.count) strides and an offset, none negative",
        found: "\(Self.list(strides)) and \(offset)")
    }
    let there = range.count / type.size
    if !extents.contains(0) {
      var last = offset
      for (extent, stride) in zip(extents, strides) {
        let (step, tooFar) = (extent - 1).multipliedReportingOverflow(by: stride)
        let (sum, overflow) = last.addingReportingOverflow(step)
        guard !tooFar, !overflow else {
          throw Misfit(expected: "strides that fit", found: Self.list(strides))
        }
        last = sum
      }
      guard last < there else {
        throw Misfit(expected: "\(last + 1) numbers of \(type)", found: "\(range.count) bytes")
      }
      // One number may stand for many, within reason.
      guard count <= max(1 << 16, memory.count) else {
        throw Misfit(expected: "at most as many numbers as the file has bytes", found: "\(count)")
      }
    }
    self.memory = memory
    self.type = type
    self.bigEndian = bigEndian
    self.shape = shape
    place = extents.contains(0) ? range.lowerBound : range.lowerBound + offset * type.size
    self.strides = extents.contains(0) || strides == rowsFirst ? [] : strides
  }

  /// A shape as a file says it, if its numbers can be counted.
  static func shape(_ extents: [Int]) throws(Misfit) -> Shape {
    guard extents.count <= 32, extents.allSatisfy({ $0 >= 0 }) else {
      throw Misfit(expected: "at most 32 extents, none negative", found: list(extents))
    }
    var count = 1
    for extent in extents {
      let (product, overflow) = count.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflow else { throw Misfit(expected: "a shape that fits", found: list(extents)) }
      count = product
    }
    return Shape(extents)
  }

  /// The strides of an array whose columns lie first: the first position changes fastest, as in Fortran.
  static func columnsFirst(_ extents: [Int]) -> [Int] {
    var strides: [Int] = []
    var step = 1
    for extent in extents {
      strides.append(step)
      // What overflows is found when the extents are looked at.
      step = step.multipliedReportingOverflow(by: max(extent, 1)).partialValue
    }
    return strides
  }

  /// A list for a message, of which a file may have made the most.
  private static func list(_ numbers: [Int]) -> String {
    numbers.count <= 8 ? "\(numbers)" : "\(numbers.count) of them"
  }

  /// The numbers, rows first.
  func read() -> Tensor {
    // Large weights are not copied.
    if case .file(let file) = memory, strides.isEmpty, type == .float32, !bigEndian,
      let tensor = Tensor(mapping: shape, of: file, from: place)
    {
      return tensor
    }
    return memory.withBytes { bytes in
      if strides.isEmpty { return type.tensor(bytes, from: place, shape: shape, bigEndian: bigEndian) }
      var tensor = Tensor(uninitialized: shape)
      let scalars = tensor.mutablePointer()
      var position = [Int](repeating: 0, count: shape.rank)
      var source = 0
      for destination in 0..<shape.count {
        scalars[destination] = type.number(bytes, at: place + source * type.size, bigEndian: bigEndian)
        var dimension = shape.rank - 1
        while dimension >= 0 {
          position[dimension] += 1
          source += strides[dimension]
          if position[dimension] < shape[dimension] { break }
          source -= position[dimension] * strides[dimension]
          position[dimension] = 0
          dimension -= 1
        }
      }
      return tensor
    }
  }
}

internal import Tensors

/// A value of a Torch 7 file, as Lua has them.
public enum Torch7Value: Sendable, Equatable {
  /// Nothing.
  case null
  /// A number; Lua knows no integers.
  case number(Double)
  /// True or false.
  case boolean(Bool)
  /// A text: where its bytes lie in the file.
  case text(Range<Int>)
  /// A table, a tensor or another object: its place among the file's.
  case object(Int)
}

/// A key of a table with its value.
public struct Torch7Pair: Sendable, Equatable {
  /// Any value but `null`.
  public let key: Torch7Value
  /// What it stands for.
  public let value: Torch7Value
}

/// What a file holds once, however often it is referred to.
enum Torch7Object: Sendable {
  /// Pairs in the file's order.
  case table([Torch7Pair])
  /// An object of a class, `nn.Linear` say: what it was written as, a table of its fields.
  case instance(className: String, content: Torch7Value)
  /// Numbers in a shape.
  case tensor(Torch7Tensor)
  /// Numbers in a row.
  case storage(Torch7Storage)
  /// A function's byte code, which is passed over, or an object that is not read yet.
  case opaque
}

/// A view of a storage.
struct Torch7Tensor: Sendable {
  /// `torch.FloatTensor`.
  let className: String
  /// The extents; [0] of an empty one.
  let shape: Shape
  /// How far apart neighbours are in each dimension.
  let strides: [Int]
  /// Where the first number is.
  let offset: Int
  /// The numbers, of which it needs no more than there are; nil: there are none.
  let storage: Torch7Storage?

  /// Its scalars, as the file's bytes are.
  func read(_ bytes: UnsafeRawBufferPointer) -> Tensor {
    guard let storage else { return Tensor(zeros: shape) }
    var expected = 1
    let isPacked = zip(shape.dimensions, strides).reversed().allSatisfy { extent, stride in
      defer { expected *= extent }
      return extent == 1 || stride == expected
    }
    if isPacked, case .binary(let type, let place, _) = storage {
      return type.tensor(bytes, from: place + offset * type.size, shape: shape)
    }
    var tensor = Tensor(uninitialized: shape)
    let scalars = tensor.mutablePointer()
    var index = [Int](repeating: 0, count: shape.rank)
    var place = offset
    for position in 0..<shape.count {
      scalars[position] = storage.number(bytes, place)
      // The next index, the last dimension first.
      var dimension = shape.rank - 1
      while dimension >= 0 {
        index[dimension] += 1
        place += strides[dimension]
        if index[dimension] < shape[dimension] { break }
        place -= index[dimension] * strides[dimension]
        index[dimension] = 0
        dimension -= 1
      }
    }
    return tensor
  }
}

/// Numbers in a row.
enum Torch7Storage: Sendable {
  /// As they lie in the file.
  case binary(ScalarType, place: Int, count: Int)
  /// As they were read from text.
  case numbers([Float])

  /// How many there are.
  var count: Int {
    switch self {
    case .binary(_, _, let count): count
    case .numbers(let numbers): numbers.count
    }
  }

  /// One of them.
  func number(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Float {
    switch self {
    case .binary(let type, let place, _): type.number(bytes, at: place + index * type.size, bigEndian: false)
    case .numbers(let numbers): numbers[index]
    }
  }
}

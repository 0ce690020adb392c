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
  /// Numbers in a shape, under their class, `torch.FloatTensor`.
  case tensor(className: String, StridedNumbers)
  /// Numbers in a row.
  case storage(Torch7Storage)
  /// A function's byte code, which is passed over, or an object that is not read yet.
  case opaque
}

/// Numbers in a row, of which tensors are views.
struct Torch7Storage: Sendable {
  let memory: StridedNumbers.Memory
  /// Where they are in it.
  let range: Range<Int>
  let type: ScalarType
}

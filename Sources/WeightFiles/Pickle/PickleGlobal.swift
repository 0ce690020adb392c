/// A class or function that a pickle may name, and what stands for calling it. Nothing is called: each of these is a rule of
/// ours that makes data of data.
enum PickleGlobal: Equatable {
  /// A class whose objects are kept as they are: class, arguments, state.
  case object
  /// A class that is only named, as an argument.
  case type
  /// `dict()`, `OrderedDict([(key, value)])`.
  case dictionary
  /// As that, after an argument that makes missing values.
  case defaultDictionary
  /// `list(items)`, `set(items)`.
  case list
  /// `tuple(items)`, `torch.Size(items)`.
  case tuple
  /// `_reconstructor(class, base, state)` of protocols 0 and 1.
  case reconstructor
  /// `encode(text, "latin1")`: bytes in protocols before 3.
  case encode
  /// An array of NumPy that `build` fills.
  case array
  /// `_frombuffer(bytes, dtype, shape, order)`: an array in protocol 5.
  case buffer
  /// A number type of NumPy, whose order of bytes comes with `build`.
  case dtype
  /// `scalar(dtype, bytes)`: one number of NumPy.
  case scalar
  /// `_rebuild_tensor_v2(storage, offset, size, stride, …)`.
  case tensor
  /// `_rebuild_tensor_v3(storage, offset, size, stride, …, dtype, …)`.
  case typedTensor
  /// What is its first argument: `_rebuild_parameter(tensor, …)`.
  case first
  /// `_rebuild_from_type_v2(function, type, arguments, state)`.
  case fromType
  /// A class of PyTorch's storages.
  case storage(ScalarType)
  /// One whose numbers are not read here, such as complex ones.
  case otherStorage
  /// Bytes that a tensor's own type gives a meaning.
  case untypedStorage
  /// A number type of PyTorch.
  case torchType(ScalarType)

  /// By module and name; nil: the pickle is refused.
  static func named(_ name: String) -> PickleGlobal? { table[name] }

  private static let table: [String: PickleGlobal] = {
    var table: [String: PickleGlobal] = [
      "argparse.Namespace": .object,
      "collections.OrderedDict": .dictionary, "collections.Counter": .dictionary,
      "collections.defaultdict": .defaultDictionary,
      "copy_reg._reconstructor": .reconstructor, "copyreg._reconstructor": .reconstructor,
      "_codecs.encode": .encode,
      "numpy.ndarray": .type, "numpy.dtype": .dtype,
      "torch._utils._rebuild_tensor": .tensor, "torch._utils._rebuild_tensor_v2": .tensor,
      "torch._utils._rebuild_tensor_v3": .typedTensor,
      "torch._utils._rebuild_parameter": .first, "torch._utils._rebuild_parameter_with_state": .first,
      "torch._tensor._rebuild_from_type_v2": .fromType,
      "torch.nn.parameter.Parameter": .first, "torch.Tensor": .type, "torch.Size": .tuple,
      "torch.device": .object,
      "torch.storage.UntypedStorage": .untypedStorage, "torch.UntypedStorage": .untypedStorage,
    ]
    for module in ["numpy.core", "numpy._core"] {
      table["\(module).multiarray._reconstruct"] = .array
      table["\(module).multiarray.scalar"] = .scalar
      table["\(module).numeric._frombuffer"] = .buffer
    }
    for module in ["__builtin__", "builtins"] {
      for name in ["int", "long", "float", "bool", "str", "unicode"] { table["\(module).\(name)"] = .type }
      for name in ["list", "set", "frozenset"] { table["\(module).\(name)"] = .list }
      table["\(module).object"] = .object
      table["\(module).dict"] = .dictionary
      table["\(module).tuple"] = .tuple
      table["\(module).bytes"] = .encode
      table["\(module).bytearray"] = .encode
    }
    let storages: [(String, PickleGlobal)] = [
      ("Float", .storage(.float32)), ("Double", .storage(.float64)), ("Half", .storage(.float16)),
      ("BFloat16", .storage(.bfloat16)), ("Long", .storage(.int64)), ("Int", .storage(.int32)),
      ("Short", .storage(.int16)), ("Char", .storage(.int8)), ("Byte", .storage(.uint8)),
      ("Bool", .storage(.uint8)), ("ComplexFloat", .otherStorage), ("ComplexDouble", .otherStorage),
      ("QInt8", .otherStorage), ("QUInt8", .otherStorage), ("QInt32", .otherStorage),
    ]
    for (name, kind) in storages {
      for module in ["torch", "torch.cuda"] { table["\(module).\(name)Storage"] = kind }
    }
    let types: [(String, ScalarType)] = [
      ("float32", .float32), ("float64", .float64), ("float16", .float16), ("bfloat16", .bfloat16),
      ("int64", .int64), ("int32", .int32), ("int16", .int16), ("int8", .int8), ("uint8", .uint8),
      ("bool", .uint8), ("uint16", .uint16), ("uint32", .uint32), ("uint64", .uint64),
    ]
    for (name, type) in types { table["torch.\(name)"] = .torchType(type) }
    return table
  }()
}

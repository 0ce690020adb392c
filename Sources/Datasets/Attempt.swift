/// An element of a list that may be broken without breaking the list.
struct Attempt<Value: Decodable>: Decodable {
  /// The element, or what is wrong with it.
  let result: Result<Value, any Error>

  init(from decoder: any Decoder) { result = Result { try Value(from: decoder) } }
}

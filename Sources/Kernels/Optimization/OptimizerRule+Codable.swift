/// `{"rule": "adam", "beta1": 0.8}`; numbers that are missing take the rule's defaults.
extension OptimizerRule: Codable {
  private enum CodingKeys: String, CodingKey {
    case rule, momentum, nesterov, smoothing, beta1, beta2, epsilon, initial
  }

  /// Decodes; refuses, by name, a number that is not the rule's or out of range.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys, _ usual: Double) throws -> Double {
      try container.decodeIfPresent(Double.self, forKey: key) ?? usual
    }
    let name = try container.decode(String.self, forKey: .rule)
    switch name {
    case "sgd":
      let nesterov = try container.decodeIfPresent(Bool.self, forKey: .nesterov) ?? false
      self = .sgd(momentum: try number(.momentum, 0), nesterov: nesterov)
    case "adagrad":
      self = .adagrad(epsilon: try number(.epsilon, 1e-10), initial: try number(.initial, 0))
    case "rmsprop":
      self = .rmsprop(smoothing: try number(.smoothing, 0.99), epsilon: try number(.epsilon, 1e-8))
    case "adam", "adamw":
      let (beta1, beta2) = (try number(.beta1, 0.9), try number(.beta2, 0.999))
      let epsilon = try number(.epsilon, 1e-8)
      self =
        name == "adam"
        ? .adam(beta1: beta1, beta2: beta2, epsilon: epsilon)
        : .adamw(beta1: beta1, beta2: beta2, epsilon: epsilon)
    default:
      throw DecodingError.dataCorruptedError(
        forKey: .rule, in: container,
        debugDescription: "expected sgd, adagrad, rmsprop, adam or adamw, found \(name)")
    }
    let own = numberNames
    let found = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue).sorted()
    if let unknown = found.first(where: { $0 != CodingKeys.rule.rawValue && !own.contains($0) }) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "unknown option \(unknown): \(name) has \(own.joined(separator: ", "))"))
    }
    if let problem {
      throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: problem))
    }
  }

  /// Any key that there may be.
  private struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// What the rule's numbers are called.
  private var numberNames: [String] {
    let keys: [CodingKeys] =
      switch self {
      case .sgd: [.momentum, .nesterov]
      case .adagrad: [.epsilon, .initial]
      case .rmsprop: [.smoothing, .epsilon]
      case .adam, .adamw: [.beta1, .beta2, .epsilon]
      }
    return keys.map(\.rawValue)
  }

  /// Encodes every number of the rule.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    func encode(_ name: String, _ numbers: KeyValuePairs<CodingKeys, Double>) throws {
      try container.encode(name, forKey: .rule)
      for (key, number) in numbers { try container.encode(number, forKey: key) }
    }
    switch self {
    case .sgd(let momentum, let nesterov):
      try encode("sgd", [.momentum: momentum])
      try container.encode(nesterov, forKey: .nesterov)
    case .adagrad(let epsilon, let initial):
      try encode("adagrad", [.epsilon: epsilon])
      // As earlier versions wrote it, where it is what they had.
      if initial != 0 { try container.encode(initial, forKey: .initial) }
    case .rmsprop(let smoothing, let epsilon):
      try encode("rmsprop", [.smoothing: smoothing, .epsilon: epsilon])
    case .adam(let beta1, let beta2, let epsilon):
      try encode("adam", [.beta1: beta1, .beta2: beta2, .epsilon: epsilon])
    case .adamw(let beta1, let beta2, let epsilon):
      try encode("adamw", [.beta1: beta1, .beta2: beta2, .epsilon: epsilon])
    }
  }
}

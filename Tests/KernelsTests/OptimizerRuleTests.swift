import Foundation
import Kernels
import Testing

@Suite struct OptimizerRuleTests {
  @Test(arguments: [
    (OptimizerRule.sgd(momentum: 0.5, nesterov: true), #"{"momentum":0.5,"nesterov":true,"rule":"sgd"}"#),
    (.adagrad(), #"{"epsilon":1e-10,"rule":"adagrad"}"#),
    (.rmsprop(smoothing: 0.5), #"{"epsilon":1e-08,"rule":"rmsprop","smoothing":0.5}"#),
    (.adam(beta1: 0.5, beta2: 0.75, epsilon: 1), #"{"beta1":0.5,"beta2":0.75,"epsilon":1,"rule":"adam"}"#),
    (.adamw(beta1: 0.5, beta2: 0.75, epsilon: 1), #"{"beta1":0.5,"beta2":0.75,"epsilon":1,"rule":"adamw"}"#),
  ]) func isStoredByName(rule: OptimizerRule, text: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(String(decoding: try encoder.encode(rule), as: UTF8.self) == text)
    #expect(try JSONDecoder().decode(OptimizerRule.self, from: Data(text.utf8)) == rule)
  }

  @Test func missingNumbersTakeTheirDefaults() throws {
    func decoded(_ text: String) throws -> OptimizerRule {
      try JSONDecoder().decode(OptimizerRule.self, from: Data(text.utf8))
    }
    #expect(try decoded(#"{"rule": "adamw", "beta2": 0.99}"#) == .adamw(beta2: 0.99))
    let rules = [OptimizerRule.sgd(), .adagrad(), .rmsprop(), .adam(), .adamw()]
    for (name, rule) in zip(["sgd", "adagrad", "rmsprop", "adam", "adamw"], rules) {
      #expect(try decoded(#"{"rule": "\#(name)"}"#) == rule)
    }
    for text in ["{}", #"{"rule": "adamax"}"#, #""adam""#, #"{"rule": "adam", "beta1": "x"}"#] {
      #expect(throws: DecodingError.self, "\(text)") { try decoded(text) }
    }
  }

  @Test(arguments: [
    (#"{"rule": "sgd", "momentum": 1}"#, "momentum: expected at least 0 and less than 1, found 1.0"),
    (#"{"rule": "sgd", "nesterov": true}"#, "nesterov: expected a momentum with it, found 0"),
    (#"{"rule": "adam", "beta2": -1}"#, "beta2: expected at least 0 and less than 1, found -1.0"),
    (#"{"rule": "adam", "epsilon": 0}"#, "epsilon: expected more than 0 and at most 1, found 0.0"),
    (#"{"rule": "adam", "smoothing": 0.9}"#, "unknown option smoothing: adam has beta1, beta2, epsilon"),
    (#"{"rule": "sgd", "momentun": 0.9}"#, "unknown option momentun: sgd has momentum, nesterov"),
  ]) func whatARuleHasNotIsRefused(text: String, reason: String) {
    #expect {
      try JSONDecoder().decode(OptimizerRule.self, from: Data(text.utf8))
    } throws: { error in
      guard case .dataCorrupted(let context) = error as? DecodingError else { return false }
      return context.debugDescription == reason
    }
  }

  @Test func impossibleNumbersAreNamed() {
    let bad: [(OptimizerRule, String)] = [
      (.sgd(momentum: 1), "momentum"), (.sgd(momentum: -0.1), "momentum"), (.sgd(momentum: .nan), "momentum"),
      (.sgd(nesterov: true), "nesterov"), (.adagrad(epsilon: 0), "epsilon"),
      (.rmsprop(smoothing: 1), "smoothing"), (.rmsprop(epsilon: -1), "epsilon"),
      (.adam(beta1: 1), "beta1"), (.adam(beta2: 0.999_999_999_999), "beta2"),
      (.adamw(epsilon: 1e-60), "epsilon"), (.adamw(epsilon: .infinity), "epsilon"),
    ]
    for (rule, name) in bad {
      #expect(rule.problem?.hasPrefix(name + ": expected ") == true, "\(rule)")
    }
    let good = [OptimizerRule.sgd(momentum: 0.9, nesterov: true), .adagrad(), .rmsprop(), .adam(), .adamw()]
    #expect(good.allSatisfy { $0.problem == nil })
  }
}

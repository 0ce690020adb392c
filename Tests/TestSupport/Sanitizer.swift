internal import Foundation

/// The sanitizer that the tests run under, which `tools/test --sanitize` names.
public enum Sanitizer {
  private static let name = ProcessInfo.processInfo.environment["CAPTIONER_SANITIZER"]

  /// Whether there is one. It reserves terabytes of addresses: limits of memory can't be tested under it.
  public static let isOn = name != nil
  /// How many times longer things may take under it.
  public static let slowness = isOn ? 20 : 1
  /// What programs that the tests start need to know of it.
  public static let environment = ProcessInfo.processInfo.environment.filter {
    $0.key.hasSuffix("SAN_OPTIONS")
  }
}

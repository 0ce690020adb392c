internal import Foundation
internal import Kernels
internal import Models
internal import Support

/// A loaded model and what clients are told of it. Work that was begun with a model ends with it, whatever was loaded
/// meanwhile.
///
/// `@unchecked Sendable`: the lock guards the model.
final class ServedModel: @unchecked Sendable {
  /// All of it but its weights.
  let description: ModelDescription
  /// Its name among clients: the file's, without folder and extension.
  let name: String
  /// Bytes of the file.
  let size: UInt64
  /// When the file was written.
  let modified: Date
  /// 16 hexadecimal digits that another file would not have.
  let digest: String
  private let model: CaptionModel
  private let lock = NSLock()

  /// Loads a model's file.
  /// - Throws: `ModelError`.
  init(contentsOf path: String, arithmetic: Arithmetic) throws(ModelError) {
    let model = try CaptionModel(contentsOf: path, caching: .resident, arithmetic: arithmetic)
    description = model.description
    let file = path.split(separator: "/").last.map(String.init) ?? path
    name = file.hasSuffix(".safetensors") ? String(file.dropLast(12)) : file
    let stamp = FileStamp(ofFileAt: path)
    size = stamp?.size ?? 0
    modified = Date(timeIntervalSince1970: Double(stamp?.modified ?? 0) / 1e9)
    let digits = String(Fingerprint.ofFile(at: path) ?? 0, radix: 16)
    digest = String(repeating: "0", count: 16 - digits.count) + digits
    self.model = model
  }

  /// Calls `body` with the model, which nobody else uses meanwhile.
  func with<R>(_ body: (CaptionModel) throws -> R) rethrows -> R {
    lock.lock()
    defer { lock.unlock() }
    return try body(model)
  }
}

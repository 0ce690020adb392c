internal import Foundation

/// The `Fixtures` folder beside the test file that asks.
public func fixture(_ name: String, of file: String = #filePath) -> String {
  URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
}

/// An image among the fixtures of Imaging, such as `decode/jpeg-444.jpg`.
public func photo(_ name: String) -> String {
  let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  return tests.appendingPathComponent("ImagingTests/Fixtures/\(name)").path
}

/// A folder of its own for one test, removed afterwards.
public func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("captioner-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

import Foundation
import Testing

/// What the articles show is what the tests compile and run.
@Suite struct ArticlesTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static func texts(_ folder: String, _ suffix: String) throws -> [(name: String, text: String)] {
    let folder = root.appendingPathComponent(folder)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(suffix) }
      .sorted().map { ($0, try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8)) }
  }

  @Test func codeOfArticlesIsCompiled() throws {
    let articles = try Self.texts("Sources/CaptionerKit/CaptionerKit.docc", ".md")
    #expect(articles.count >= 5)
    let sources =
      try Self.texts("Tests/CaptionerKitTests/Examples", ".swift")
      + Self.texts("Tests/CaptionerKitTests", "Tests.swift")
      + Self.texts("Sources/Kernels/Recurrent", ".swift")
    // The article of keys has no code.
    for (name, text) in articles where name != "JSON.md" {
      let blocks = text.components(separatedBy: "```swift\n").dropFirst()
        .map { $0.components(separatedBy: "\n```")[0] }
      #expect(!blocks.isEmpty, "\(name)")
      for block in blocks {
        #expect(sources.contains { $0.text.contains(block) }, "\(name): \(block.prefix(80))")
      }
    }
  }
}

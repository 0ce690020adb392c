import Foundation
import Testing

/// The article about faults promises only what a test shows.
@Suite struct FaultsTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Every test of the project as `FILE/function`.
  private static func tests() throws -> Set<String> {
    var names: Set<String> = []
    let folder = root.appendingPathComponent("Tests")
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    where path.hasSuffix(".swift") {
      let file = folder.appendingPathComponent(path)
      let text = try String(contentsOf: file, encoding: .utf8)
      // The attribute may have arguments over several lines.
      for part in text.components(separatedBy: "@Test").dropFirst() {
        guard let name = part.firstMatch(of: /func (\w+)\(/)?.1 else { continue }
        names.insert("\(file.deletingPathExtension().lastPathComponent)/\(name)")
      }
    }
    return names
  }

  @Test func everyFaultHasItsTest() throws {
    let article = root.appendingPathComponent("Sources/CaptionerKit/CaptionerKit.docc/Faults.md")
    let rows = try String(contentsOf: article, encoding: .utf8).split(separator: "\n")
      .filter { $0.hasPrefix("| ") && !$0.hasPrefix("| fault |") }
    #expect(rows.count > 30)
    let tests = try Self.tests()
    for row in rows {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      try #require(cells.count == 4, "\(row)")
      #expect(cells[2] == "nothing", "\(cells[0])")
      let named = cells[3].matches(of: /`(\w+\/\w+)`/).map { String($0.1) }
      #expect(!named.isEmpty, "\(cells[0])")
      for name in named { #expect(tests.contains(name), "\(cells[0]): no test \(name)") }
    }
  }

  private var root: URL { Self.root }
}

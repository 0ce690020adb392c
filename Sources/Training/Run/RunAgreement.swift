internal import Foundation
internal import Support

/// Whether all processes that share a run see the same: options, captions, images.
enum RunAgreement {
  /// A name for people, and what tells one from another.
  private struct Item: Codable {
    let name, value: String
  }

  /// Of options, and of what is named by lists of texts. Options that are paths may differ, since what is there is compared.
  private static func items(
    _ options: TrainingConfiguration?, _ contents: [(name: String, texts: [String])]
  ) -> [Item] {
    let settings = TrainingSettings.list.filter { $0.continuation != .byContent && !$0.keys.isEmpty }
    let given = options.map { options in
      settings.map { Item(name: "--\($0.name)", value: $0.text(in: options)) }
    }
    return (given ?? [])
      + contents.map { name, texts in
        var print = Fingerprint()
        for text in texts {
          // No byte: a text begins here.
          print.add(.max)
          print.add(bytes: text.utf8)
        }
        return Item(name: name, value: print.text)
      }
  }

  /// Compares what the ranks see with what rank 0 does.
  /// - Throws: `TrainingError.ranksDiffer` on all of them.
  static func check(
    among group: any ProcessGroup, options: TrainingConfiguration? = nil,
    _ contents: () throws -> [(name: String, texts: [String])]
  ) throws {
    guard group.isShared else { return }
    let items = items(options, try contents())
    let text = try group.broadcast(Array(canonicalJSON(items).utf8))
    let first = try JSONDecoder().decode([Item].self, from: Data(text))
    let differences = zip(items, first).filter { $0.value != $1.value }.map { own, first in
      own.name.hasPrefix("--") ? "\(own.name) \(own.value) instead of \(first.value)" : "other \(own.name)"
    }
    let found = differences.prefix(3).joined(separator: ", ")
    let all = try group.gathered(Array((found.isEmpty ? "" : "\(found) (on \(host))").utf8))
    guard let rank = all.firstIndex(where: { !$0.isEmpty }) else { return }
    throw TrainingError.ranksDiffer(rank: rank, differences: String(decoding: all[rank], as: UTF8.self))
  }

  private static var host: String { ProcessInfo.processInfo.hostName }
}

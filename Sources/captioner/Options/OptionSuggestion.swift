import ArgumentParser
import Foundation

/// The option that was meant by one that does not exist: one that begins so, else the nearest by edits.
enum OptionSuggestion {
  /// The argument parser's message, with our suggestion in the place of its own.
  ///
  /// An option that does not exist is told before anything that is missing: it may be what was meant.
  static func improved(_ message: String, _ arguments: [String]) -> String {
    let message = aboutUnknown(message, arguments)
    guard let unknown = message.firstMatch(of: /Unknown option '--([^'\n]*)'(\. Did you mean '[^'\n]*'\?)?/)
    else {
      return message
    }
    let given = String(unknown.1.prefix(100))
    let suggestion =
      nearest(to: given, among: options(of: arguments)).map { ". Did you mean '--\($0)'?" } ?? ""
    return message.replacingCharacters(in: unknown.range, with: "Unknown option '--\(given)'\(suggestion)")
  }

  /// The message, about an unknown command or option instead of what is missing or too much.
  private static func aboutUnknown(_ message: String, _ arguments: [String]) -> String {
    guard message.hasPrefix("Error: "), let end = message.firstIndex(of: "\n") else { return message }
    let rest = message[end...].replacing(/^\nHelp: [^\n]*/, with: "")
    let names = CaptionerCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
    if let command = arguments.dropFirst().first, !command.hasPrefix("-"), !names.contains(command),
      command != "help"
    {
      let suggestion =
        nearest(to: command, among: names).map { ". Did you mean '\($0)'?" }
        ?? "; there are \(names.joined(separator: ", "))"
      return "Error: Unknown command '\(command.prefix(100))'\(suggestion)" + rest
    }
    guard message.hasPrefix("Error: Missing expected") || message.contains("unexpected argument") else {
      return message
    }
    let known = options(of: arguments)
    let given = arguments.dropFirst(2).prefix { $0 != "--" }.filter { $0.hasPrefix("--") && $0.count > 2 }
      .map { $0.dropFirst(2).prefix { $0 != "=" } }
    guard let unknown = given.first(where: { !known.contains(String($0)) }) else { return message }
    return "Error: Unknown option '--\(unknown)'" + rest
  }

  /// The name that was meant; nil: none is near.
  static func nearest(to given: String, among names: [String]) -> String? {
    let name = given.split(separator: "=").first.map(String.init) ?? given
    guard name.count > 1 else { return nil }
    // --beam for --beam-width, --ngram for --no-repeat-ngram.
    let candidates = names.sorted { ($0.count, $0) < ($1.count, $1) }
    if let whole = candidates.first(where: { $0.hasPrefix(name + "-") }) { return whole }
    let distances = candidates.map { (name: $0, distance: distance(Array(name), Array($0))) }
    if let best = distances.min(by: { $0.distance < $1.distance }), best.distance <= max(1, name.count / 3) {
      return best.name
    }
    return candidates.first { $0.hasPrefix(name) }
      ?? candidates.first { $0.split(separator: "-").contains(Substring(name)) }
  }

  /// Letters to be changed, left out, put in, or exchanged with their neighbour.
  static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 1..<(a.count + 1) {
      var row = [i]
      for j in 1..<(b.count + 1) {
        var least = min(
          rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          least = min(least, rows[i - 2][j - 2] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }

  /// The options of the command that was called, as its help has them.
  private static func options(of arguments: [String]) -> [String] {
    var called: (any ParsableCommand.Type)?
    for name in arguments.dropFirst() {
      let commands = (called ?? CaptionerCommand.self).configuration.subcommands
      guard let next = commands.first(where: { $0.configuration.commandName == name }) else { break }
      called = next
    }
    guard let command = called else { return ["help", "version"] }
    let help = CaptionerCommand.helpMessage(for: command, includeHidden: true, columns: 200)
    let lines = help.split(separator: "\n").filter { $0.hasPrefix("  -") }
    return Set(lines.flatMap { $0.matches(of: /--([a-z0-9-]+)/).map { String($0.1) } }).sorted()
  }
}

internal import Glibc
internal import PipeIO

/// What to do about a command line that the parser refused.
struct Guidance {
  /// Without the program's name.
  private let arguments: [String]
  private let commands: [String]

  init(_ arguments: [String], commands: [String]) {
    self.arguments = arguments
    self.commands = commands
  }

  /// The command that is named first; nil if there is none of that name.
  var command: String? { arguments.first.flatMap { commands.contains($0) ? $0 : nil } }

  /// The text of the diagnostic. `message`: the parser's.
  func text(_ message: String) -> String {
    guard let command else { return withoutCommand }
    // The parser lists the words that an option takes: many of them in lines of their own.
    let parts = message.split(separator: ". Please provide one of ", maxSplits: 1)
    let isList = parts.count > 1 && parts[1].hasPrefix("the following")
    let words = isList ? parts[1].split(separator: "\n  - ").dropFirst().map(String.init) : []
    let way = words.isEmpty ? wayOut(message, command) : "give " + Guidance.listed(words)
    // Of several explanations, the first one is meant.
    let first = parts[0].split(separator: "\n").first.map(String.init) ?? ""
    return "\(Guidance.shown(first, most: 300)) (\(way))"
  }

  /// Printable, and not longer than a person reads.
  private static func shown(_ text: String, most: Int = 100) -> String {
    printable(text.count > most ? text.prefix(most) + "…" : text)
  }

  /// Why `pipe help WORD` has nothing to show; nil if it has.
  var textOnHelp: String? {
    guard arguments.first == "help", arguments.count > 1, !commands.contains(arguments[1]) else {
      return nil
    }
    return unknown(arguments[1], before: "pipe help ")
  }

  // The first word is not a command.
  private var withoutCommand: String {
    guard let first = arguments.first, first.hasPrefix("-") else {
      return unknown(arguments.first ?? "", before: "pipe ")
    }
    guard let place = arguments.firstIndex(where: commands.contains) else {
      return "\(Guidance.shown(first)): a command goes first (see pipe --help)"
    }
    var words = arguments
    words.insert(words.remove(at: place), at: 0)
    return "options go after the command: pipe \(Guidance.quoted(words))"
  }

  private func unknown(_ word: String, before: String) -> String {
    let near = Guidance.near(word.lowercased(), among: commands)
    let question =
      near.isEmpty
      ? "pipe --help lists the commands"
      : "did you mean \(near.map { before + $0 }.joined(separator: " or "))?"
    let name = word.isEmpty ? "''" : Guidance.shown(word)
    return "there is no command \(name); \(question)"
  }

  private static func listed(_ words: [String]) -> String {
    words.count < 2
      ? words.joined() : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
  }

  private func wayOut(_ message: String, _ command: String) -> String {
    let usual = "see pipe \(command) --help"
    if message.contains("value '0' is invalid for") { return "a whole number from 1 on" }
    if message.hasPrefix("Missing expected argument '<id>") {
      return "enqueue prints ids, and pipe list shows them"
    }
    if let name = message.split(separator: "<").last?.split(separator: ">").first,
      message.contains("is invalid for"), let form = Guidance.forms[String(name)]
    {
      return form
    }
    if ["consume", "submit"].contains(command), let words = withDashes(message) {
      return "a command goes after --: pipe \(Guidance.quoted(words))"
    }
    guard message.hasPrefix("Unexpected argument"), let word = arguments.last else { return usual }
    if let place = arguments.firstIndex(of: "--"), place + 1 < arguments.count,
      let other = Guidance.runners[command]
    {
      let words = ["pipe", other.command] + arguments[place...]
      return "\(other.reason): \(Guidance.quoted(words))"
    }
    if command != "init", access(word + "/format", F_OK) == 0 {
      return "a queue goes after -q: pipe \(command) -q \(Guidance.quoted([word]))"
    }
    if ["enqueue", "ack"].contains(command) {
      return "\(command) reads stdin: pipe \(command) < \(Guidance.quoted([word]))"
    }
    if command == "consume" { return "a command goes after --: pipe consume -- CMD" }
    if Guidance.lookers.contains(command) {
      return "a queue goes after -q: pipe \(command) -q \(Guidance.quoted([word]))"
    }
    return usual
  }

  /// The arguments with `--` before the first word that names a program, if that removes the mistake.
  private func withDashes(_ message: String) -> [String]? {
    guard !arguments.contains("--"),
      let place = arguments.dropFirst().firstIndex(where: Guidance.isProgram),
      message.hasPrefix("Unexpected argument")
        || arguments[place...].contains(where: { message.hasPrefix("Unknown option '\($0)'") })
    else { return nil }
    var words = arguments
    words.insert("--", at: place)
    return words
  }

  private static func isProgram(_ word: String) -> Bool {
    guard !word.isEmpty, !word.hasPrefix("-") else { return false }
    return Program.places(of: word, in: variable("PATH")).contains(where: Program.isExecutable)
  }

  /// The forms of values, by the names that --help gives them.
  private static let forms = [
    "duration": "a duration needs a unit: 500ms 5s 10m 2h 7d",
    "duration..duration": "two durations: 1s..5m",
    "size": "a size is a number of bytes, or has a unit: 64KiB 1MiB 2GiB",
    "n": "a whole number", "jobs": "a whole number from 1 on",
    "batches": "a whole number from 1 on", "priority": "HIGH, MEDIUM or LOW",
    "field=value": "a member and its value: kind=mail",
    "field:type": "a member and its type: data.sensor:string",
    "n/s": "requests per second: 100/s",
    "tag": "up to 64 letters, digits and . _ : -",
  ]

  /// Commands that take none of their own after `--`, and the one that does.
  private static let runners = [
    "work": (command: "submit", reason: "pipe submit stores a command"),
    "batch": (command: "consume", reason: "pipe consume runs a command"),
    "route": (command: "consume", reason: "pipe consume runs a command"),
    "enqueue": (command: "submit", reason: "pipe submit stores a command"),
  ]

  /// Commands that take no words but options.
  private static let lookers: Set = [
    "batch", "fsck", "init", "list", "pause", "prune", "resume", "serve", "stats", "work",
  ]

  /// Words that people who know other queues type first.
  private static let synonyms = [
    "add": "enqueue", "push": "enqueue", "put": "enqueue", "produce": "enqueue",
    "dequeue": "consume", "get": "consume", "pop": "consume", "take": "consume",
    "run": "work", "ls": "list", "peek": "list", "show": "status", "info": "stats",
    "watch": "top", "rm": "cancel", "remove": "cancel", "delete": "cancel", "kill": "cancel",
    "tail": "log", "follow": "log", "requeue": "retry", "restart": "retry", "stop": "pause",
    "start": "resume", "clear": "purge", "clean": "prune", "check": "fsck", "create": "init",
    "wait": "status",
  ]

  /// The commands whose names are nearest to a mistyped word; none if none is near.
  static func near(_ word: String, among commands: [String]) -> [String] {
    if let known = synonyms[word], commands.contains(known) { return [known] }
    let most = word.utf8.count < 4 ? 1 : 2
    let distances = commands.map { (command: $0, distance: distance(word, $0)) }
    let least = distances.map(\.distance).min() ?? .max
    return least <= most ? distances.filter { $0.distance == least }.map(\.command) : []
  }

  /// The number of bytes to insert, remove, change or swap with the next (optimal string alignment).
  private static func distance(_ one: String, _ other: String) -> Int {
    let (a, b) = (Array(one.utf8.prefix(32)), Array(other.utf8))
    var rows = [Array(0...b.count)]
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var least = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }

  /// Words as a shell takes them.
  private static func quoted(_ words: [String]) -> String {
    let plain = "_./:=,@%+-"
    return shown(
      words.map { word in
        let isPlain =
          !word.isEmpty
          && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || plain.contains($0) }
        return isPlain ? word : "'\(word.replacing("'", with: "'\\''"))'"
      }.joined(separator: " "), most: 300)
  }
}

internal import Glibc
internal import PipeIO
internal import PipeText

/// What to do about a command line that was refused.
struct Guidance {
  /// Without the program's name.
  private let arguments: [String]
  private let commands: [String]

  init(_ arguments: [String], commands: [String]) {
    self.arguments = arguments
    self.commands = commands
  }

  /// The text of the diagnostic of a mistake after a command.
  func text(_ mistake: Mistake, _ command: String) -> String {
    "\(Guidance.shown(mistake.text, most: 300)) (\(wayOut(mistake, command)))"
  }

  /// Printable, and not longer than a person reads.
  private static func shown(_ text: String, most: Int = 100) -> String {
    printable(text.count > most ? text.prefix(most) + "…" : text)
  }

  /// The text if the first word is not a command.
  var textWithoutCommand: String {
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

  /// The text if there is no command `word`. `before`: what is typed before a command.
  func unknown(_ word: String, before: String) -> String {
    let near = near(word.lowercased())
    let question =
      near.isEmpty
      ? "pipe --help lists the commands"
      : "did you mean \(near.map { before + $0 }.joined(separator: " or "))?"
    let name = word.isEmpty ? "''" : Guidance.shown(word)
    return "there is no command \(name); \(question)"
  }

  private func wayOut(_ mistake: Mistake, _ command: String) -> String {
    let usual = "see pipe \(command) --help"
    if case .invalid(_, _, let form?) = mistake { return form }
    if case .missingArgument(let name) = mistake, name.hasPrefix("<id>") {
      return "enqueue prints ids, and pipe list shows them"
    }
    if case .missingValue(let option, let next?) = mistake {
      let name = option.prefix { $0 != " " }
      return "a value that begins with - follows a =: \(Guidance.quoted(["\(name)=\(next)"]))"
    }
    if command == "enqueue", case .unknownOption(let option, _, _) = mistake,
      ["--priority", "--reject", "--require", "--max-errors"].contains(option.prefix { $0 != "=" })
    {
      let words = ["ingest"] + arguments.dropFirst().filter { $0 != "--raw" }
      return "an option of pipe ingest: pipe \(Guidance.quoted(words)) | pipe enqueue"
    }
    if command == "consume", let words = withDashes(mistake) {
      return "a command goes after --: pipe \(Guidance.quoted(words))"
    }
    guard case .unexpected(let unexpected) = mistake else { return usual }
    if let place = arguments.firstIndex(of: "--"), place + 1 < arguments.count,
      let other = Guidance.runners[command]
    {
      let words = ["pipe", other.command] + arguments[place...]
      return "\(other.reason): \(Guidance.quoted(words))"
    }
    guard unexpected.count == 1, let word = unexpected.first else { return usual }
    if command != "init", access(word + "/format", F_OK) == 0 {
      return "a queue goes after -q: pipe \(command) -q \(Guidance.quoted([word]))"
    }
    if ["enqueue", "ack"].contains(command) {
      return "\(command) reads stdin: pipe \(command) < \(Guidance.quoted([word]))"
    }
    if command == "consume", !arguments.contains("--") {
      return "a command goes after --: pipe consume -- CMD"
    }
    if Guidance.lookers.contains(command) {
      return "a queue goes after -q: pipe \(command) -q \(Guidance.quoted([word]))"
    }
    return usual
  }

  /// The arguments with `--` before the first unexpected word, if it names a program.
  private func withDashes(_ mistake: Mistake) -> [String]? {
    let first: String?
    switch mistake {
    case .unexpected(let words): first = words.first
    case .unknownOption(_, _, let after): first = after
    default: return nil
    }
    guard !arguments.contains("--"), let first, Guidance.isProgram(first),
      let place = arguments.dropFirst().firstIndex(of: first)
    else { return nil }
    var words = arguments
    words.insert("--", at: place)
    return words
  }

  private static func isProgram(_ word: String) -> Bool {
    guard !word.isEmpty, !word.hasPrefix("-") else { return false }
    return Program.places(of: word, in: variable("PATH")).contains(where: Program.isExecutable)
  }

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
  private func near(_ word: String) -> [String] {
    if let known = Guidance.synonyms[word], commands.contains(known) { return [known] }
    return nearest(to: word, among: commands, within: word.utf8.count < 4 ? 1 : 2)
  }

  private static func quoted(_ words: [String]) -> String { shown(shellWords(words), most: 300) }
}

internal import Glibc
internal import PipeEngine
internal import PipeIO
internal import PipeJSON
internal import PipeRender
internal import PipeStats
internal import PipeTime

/// Answers a shell that completes a line: `pipe ---complete SHELL INDEX WORD…`. The words are
/// those of the line, from the name of the program on; the one at INDEX ends at the cursor. The first
/// line of the answer says what may stand there:
///
///     words              the next lines: a word, and after a tab what it means
///     files PREFIX       PREFIX and a file; so for queues (and other directories) and groups
///     command INDEX      whatever continues the command line that begins at INDEX
///
/// Changes nothing, waits for nothing and never fails: without an answer there are no lines.
struct Completion {
  private enum Answer {
    case words([Candidate])
    case paths(StaticString, prefix: String)
    case command(at: Int)
  }

  fileprivate struct Candidate {
    let word: String
    let meaning: String
  }

  private let words: [String]
  private let index: Int
  /// The part of the word before the cursor.
  private let word: String

  /// `arguments`: with the program's name first. nil: this is not a question of a shell.
  init?(_ arguments: [String]) {
    guard arguments.count > 1, arguments[1] == "---complete" else { return nil }
    guard arguments.count > 4, let index = Int(arguments[3]), index > 0,
      index < arguments.count - 4
    else { exit(Exit.fine) }
    let isQuoted = arguments[2] != "fish"
    words = arguments[4...].map { textOfShellWord($0, isQuoted: isQuoted) }
    self.index = index
    word = words[index]
  }

  func run() -> Never {
    let output = Output()
    switch answer {
    case .words(let candidates):
      output.append("words\n")
      for candidate in candidates where candidate.word.hasPrefix(word) {
        output.append("\(candidate.word)\t\(candidate.meaning)\n")
      }
    case .paths(let kind, let prefix):
      output.append(kind)
      output.append(" \(prefix)\n")
    case .command(let index): output.append("command \(index)\n")
    }
    try? output.flush()
    exit(Exit.fine)
  }

  private var answer: Answer {
    if index == 1 {
      return .words(word.hasPrefix("-") ? Completion.rootOptions : Completion.commands)
    }
    if words[1] == "help" { return .words(index == 2 ? Completion.commands : []) }
    guard let command = Commands.named(words[1]) else { return .words([]) }
    return answer(words[1], Grammar.of(command).grammar)
  }

  private func answer(_ command: String, _ grammar: Grammar) -> Answer {
    let before = before(command, grammar)
    if let start = before.start { return .command(at: start) }
    if !word.hasPrefix("-") {
      // An option whose value may be left out can be followed by anything.
      if let option = before.open, option.takeAlone == nil || !word.isEmpty {
        return values(of: option, command, prefix: "")
      }
      if command == "submit" { return .command(at: index) }
      if let name = grammar.arguments?.value, let answer = arguments(name, command) {
        return answer
      }
      guard word.isEmpty else { return .words([]) }
    }
    if word.hasPrefix("--"), let end = word.firstIndex(of: "="),
      let option = grammar.option(word[..<end])
    {
      return values(of: option, command, prefix: String(word[...end]))
    }
    var candidates = grammar.options.filter { $0.isRepeatable || !before.used.contains($0.name) }
      .map { Candidate(word: $0.name, meaning: $0.help) }
    if grammar.arguments?.value == "command" {
      candidates.append(Candidate(word: "--", meaning: "The command follows."))
    }
    return .words(candidates)
  }

  /// The words from the second to the one before the cursor. `used`: options. `open`: the option whose
  /// value stands at the cursor. `start`: where another command line begins.
  private func before(
    _ command: String, _ grammar: Grammar
  ) -> (used: Set<String>, open: Declaration?, start: Int?) {
    var used: Set<String> = []
    var open: Declaration?
    let takesCommand = grammar.arguments?.value == "command"
    for (at, text) in words.enumerated().prefix(index).dropFirst(2) {
      if text == "--", takesCommand { return (used, nil, at + 1) }
      guard text.hasPrefix("-"), text != "-" else {
        if open == nil, command == "submit" { return (used, nil, at) }
        if open?.takesSeveral != true { open = nil }
        continue
      }
      let option = grammar.option(text.prefix { $0 != "=" })
      used.insert(option?.name ?? text)
      open = option?.value == nil || text.contains("=") ? nil : option
    }
    return (used, open, nil)
  }

  /// nil: nothing is known of such arguments.
  private func arguments(_ name: String, _ command: String) -> Answer? {
    switch name {
    case "id": return .words(ids(for: command))
    case "file": return .paths("files", prefix: "")
    case "directory": return .paths("queues", prefix: "")
    case "value=dir":
      return word.firstIndex(of: "=").map { .paths("queues", prefix: String(word[...$0])) }
    default: return nil
    }
  }

  private func values(
    of option: Declaration, _ command: String, prefix: String
  ) -> Answer {
    let fixed = { (words: [String]) in
      Answer.words(words.map { Candidate(word: prefix + $0, meaning: "") })
    }
    switch (option.value, option.name) {
    case ("dir", _): return .paths("queues", prefix: prefix)
    case ("file", _): return .paths("files", prefix: prefix)
    case ("group", _): return .paths("groups", prefix: prefix)
    case ("priority", _):
      let names = LaneArgument.words
      return fixed(takesSeveralLanes(command) ? names + pairs(names, after: prefix) : names)
    case (_, "--tag"), (_, "--compare"): return fixed(tags)
    case (_, "--env"): return fixed(Completion.variables)
    case ("field:type", _):
      guard let end = word.dropFirst(prefix.count).firstIndex(of: ":") else { return .words([]) }
      return .words(
        FieldType.allCases.map { Candidate(word: word[...end] + $0.rawValue, meaning: "") })
    default: return fixed(option.words)
    }
  }

  private func takesSeveralLanes(_ command: String) -> Bool {
    ["consume", "cancel", "purge"].contains(command)
  }

  /// `HIGH,LOW` and so on, once a comma is typed.
  private func pairs(_ names: [String], after prefix: String) -> [String] {
    let typed = word.dropFirst(prefix.count)
    guard let end = typed.lastIndex(of: ",") else { return [] }
    let before = typed[..<end].split(separator: ",").map { $0.uppercased() }
    return names.filter { !before.contains($0) }.map { typed[...end] + $0 }
  }
}

// Candidates from the command line and the system.
extension Completion {
  private static var commands: [Candidate] {
    Commands.all.map { Candidate(word: $0.about.name, meaning: $0.about.summary) } + [
      Candidate(word: "help", meaning: "Show the help of a command.")
    ]
  }

  private static var rootOptions: [Candidate] {
    [
      Candidate(word: "--help", meaning: "Show help information."),
      Candidate(word: "--version", meaning: "Show the version."),
    ]
  }

  /// Names of the environment's variables.
  private static var variables: [String] {
    var names: [String] = []
    var entry = environ
    while let text = entry.pointee {
      names.append(String(String(cString: text).prefix { $0 != "=" }))
      entry += 1
    }
    return names.sorted()
  }
}

// Candidates from the queue.
extension Completion {
  private static let mostIDs = 100

  /// The queue that the line names, before or after the cursor, or that the environment names.
  private var queue: Queue? {
    var path: String?
    for (at, text) in words.enumerated().dropFirst(2) where at != index {
      if text == "--" { break }
      if ["-q", "--queue"].contains(words[at - 1]) { path = text }
      if text.hasPrefix("--queue=") { path = String(text.dropFirst("--queue=".count)) }
    }
    guard let place = try? QueueLocation(path: path).resolved() else { return nil }
    return try? Queue(lookingAt: place)
  }

  private func ids(for command: String) -> [Candidate] {
    let choice: RecentChoice =
      switch command {
      case "cancel", "purge", "change": .waiting
      case "dead", "retry", "drop": .dead
      case "log": .tried
      default: .any
      }
    let now = Clock.now()
    let given = Set(words.enumerated().filter { $0.offset != index }.map(\.element))
    guard let queue,
      let found = try? queue.recent(choice, prefix: word, most: Completion.mostIDs, at: now)
    else { return [] }
    return found.filter { !given.contains($0.id.text) }.map { entry in
      var data = String(decoding: entry.start, as: UTF8.self)
      // Half of a character, where the data are cut.
      while data.last == "\u{fffd}" { data.removeLast() }
      // A terminal shows it, so nothing that a terminal obeys may be in it.
      let text = "\(entry.priority.name), \((now - entry.time).words) ago: \(printable(data))"
      return Candidate(word: entry.id.text, meaning: text)
    }
  }

  private var tags: [String] {
    guard let queue, let tags = try? queue.recentTags() else { return [] }
    // Tags that are counted together have a name that cannot be given.
    return tags.filter { Tag(argument: $0) != nil }
  }
}

/// The text that a shell makes of a word on its command line: with `~` and variables of the
/// environment replaced, and without quotes unless the shell has removed them. Nothing is run.
func textOfShellWord(_ word: String, isQuoted: Bool) -> String {
  var rest = word[...]
  var out = ""
  if rest == "~" || rest.hasPrefix("~/"), let home = variable("HOME") {
    out = home
    rest.removeFirst()
  }
  var quote: Character?
  while let character = rest.popFirst() {
    switch (character, quote) {
    case ("'", nil) where isQuoted, ("\"", nil) where isQuoted: quote = character
    case ("'", "'"), ("\"", "\""): quote = nil
    case ("\\", nil) where isQuoted, ("\\", "\""):
      if let next = rest.popFirst() { out.append(next) }
    case ("$", nil), ("$", "\""):
      var name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      if rest.first == "{", let end = rest.firstIndex(of: "}") {
        name = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
      } else {
        rest = rest[name.endIndex...]
      }
      out += name.isEmpty ? "$" : variable(String(name)) ?? ""
    default: out.append(character)
    }
  }
  return out
}

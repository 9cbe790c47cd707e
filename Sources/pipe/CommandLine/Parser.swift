/// Reads the words after the name of a command, and gives them to its declarations.
struct Parser {
  enum Outcome {
    case run, help, version
  }

  private let grammar: Grammar
  private let words: ArraySlice<String>
  private var index: Int
  private var unexpected: [String] = []
  private var isArgumentGiven = false

  init(_ grammar: Grammar, _ words: ArraySlice<String>) {
    self.grammar = grammar
    self.words = words
    index = words.startIndex
  }

  /// Reads all words. `.run`: the command is complete, and its checks have passed.
  mutating func read() throws(Mistake) -> Outcome {
    do throws(Mistake) {
      while let word = next() {
        if word == "--" {
          try takeRest()
        } else if word.utf8.first == 0x2d, word.utf8.count > 1 {
          if let request = Parser.request(word) { return request }
          try takeOption(word)
        } else if grammar.place == .rest {
          index -= 1
          try takeRest()
        } else {
          try takeArgument(word, isRest: false)
        }
      }
    } catch {
      // A later --help beats a mistake: its text shows how to correct the line.
      if grammar.place != .rest, let request = laterRequest { return request }
      throw error
    }
    if grammar.isRequired, !isArgumentGiven, let arguments = grammar.arguments {
      throw .missingArgument(arguments.shown("") + (arguments.isRepeatable ? " ..." : ""))
    }
    if !unexpected.isEmpty { throw .unexpected(unexpected) }
    try grammar.check()
    return .run
  }

  private static func request(_ word: String) -> Outcome? {
    switch word {
    case "-h", "--help": .help
    case "--version": .version
    default: nil
    }
  }

  private var laterRequest: Outcome? {
    words[index...].prefix { $0 != "--" }.lazy.compactMap(Parser.request).first
  }

  private mutating func next() -> String? {
    guard index < words.endIndex else { return nil }
    defer { index += 1 }
    return words[index]
  }

  /// The next word, if it can be the value of an option.
  private mutating func nextValue() -> String? {
    guard index < words.endIndex, words[index] == "-" || words[index].utf8.first != 0x2d else {
      return nil
    }
    return next()
  }

  // Takes all further words as arguments.
  private mutating func takeRest() throws(Mistake) {
    while let word = next() { try takeArgument(word, isRest: true) }
  }

  private mutating func takeArgument(_ word: String, isRest: Bool) throws(Mistake) {
    guard let arguments = grammar.arguments, isRest || grammar.place == .anywhere,
      arguments.isRepeatable || !isArgumentGiven
    else {
      unexpected.append(word)
      return
    }
    isArgumentGiven = true
    try give(word, to: arguments, "")
  }

  private mutating func takeOption(_ word: String) throws(Mistake) {
    if let option = grammar.option(word) { return try take(option, word, value: nil) }
    if let (name, value) = splitAtSign(word), let option = grammar.option(name) {
      return try take(option, name, value: value)
    }
    if let option = grammar.option(word.prefix(2)), option.isJoinable {
      return try take(option, option.name, value: String(word.dropFirst(2)))
    }
    throw .unknownOption(word, near: near(word), after: unexpected.first)
  }

  private mutating func take(
    _ option: Declaration, _ name: String, value: String?
  ) throws(Mistake) {
    guard option.value != nil else {
      if let value { throw .needlessValue(value, option: name) }
      _ = option.take("")
      return
    }
    if let takeAlone = option.takeAlone, value == nil {
      takeAlone()
      if let text = nextValue(), !option.take(text) { index -= 1 }
      return
    }
    guard let text = value ?? nextValue() else {
      let next = index < words.endIndex && words[index] != "--" ? words[index] : nil
      throw .missingValue(option: option.shown(name), next: next)
    }
    try give(text, to: option, name)
    while option.takesSeveral, let text = nextValue() { try give(text, to: option, name) }
  }

  private func give(_ text: String, to option: Declaration, _ name: String) throws(Mistake) {
    guard option.take(text) else {
      throw .invalid(text, option: option.shown(name), form: option.form)
    }
  }

  /// The option that a mistyped one is most like; nil if there is none.
  private func near(_ word: String) -> String? {
    let name = splitAtSign(word)?.name ?? word
    let names = grammar.options.map(\.name).filter { $0.hasPrefix("--") }
    let longer = names.filter { $0.hasPrefix(name) }
    if name.utf8.count > 3, longer.count == 1 { return longer[0] }
    return nearest(to: name, among: names, within: 2).first
  }
}

/// The parts before and after the first `=`, by bytes: a combining character after the sign would hide it. nil if
/// there is none.
func splitAtSign(_ word: String) -> (name: String, value: String)? {
  guard let sign = word.utf8.firstIndex(of: 0x3d) else { return nil }
  let bytes = word.utf8
  return (String(Substring(bytes[..<sign])), String(Substring(bytes[bytes.index(after: sign)...])))
}

/// The words that differ from a mistyped one by the fewest bytes, and by no more than `most`.
func nearest(to word: String, among words: [String], within most: Int) -> [String] {
  let distances = words.map { (word: $0, distance: distance(word, $0)) }
  let least = distances.map(\.distance).min() ?? .max
  return least <= most ? distances.filter { $0.distance == least }.map(\.word) : []
}

/// The number of bytes to insert, remove, change or swap with the next (optimal string alignment).
private func distance(_ one: String, _ other: String) -> Int {
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

/// Why a command line cannot be obeyed.
enum Mistake: Error {
  /// `argument`: an unexpected word before it.
  case unknownOption(String, near: String?, after: String?)
  /// `option`: with the name of its value. `next`: the word in its place, which begins with `-`.
  case missingValue(option: String, next: String?)
  case needlessValue(String, option: String)
  /// `form`: what a value looks like.
  case invalid(String, option: String, form: String?)
  case missingArgument(String)
  case unexpected([String])
  /// Options that do not fit together, and the like.
  case rule(String)

  init(_ text: String) { self = .rule(text) }

  var text: String {
    switch self {
    case .unknownOption(let word, let near, _):
      "Unknown option '\(word)'" + (near.map { ". Did you mean '\($0)'?" } ?? "")
    case .missingValue(let option, _): "Missing value for '\(option)'"
    case .needlessValue(let value, let option):
      "The option '\(option)' does not take any value, but '\(value)' was specified."
    case .invalid(let value, let option, _): "The value '\(value)' is invalid for '\(option)'"
    case .missingArgument(let name): "Missing expected argument '\(name)'"
    case .unexpected(let words):
      words.count == 1
        ? "Unexpected argument '\(words[0])'"
        : "\(words.count) unexpected arguments: \(words.map { "'\($0)'" }.joined(separator: ", "))"
    case .rule(let text): text
    }
  }
}

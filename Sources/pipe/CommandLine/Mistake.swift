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

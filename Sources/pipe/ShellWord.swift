internal import PipeIO

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

internal import PipeIO

/// What `--help` prints: a line for each option, wrapped at the width of the terminal.
struct Help {
  /// The column in which explanations begin.
  private static let margin = 26

  private let columns = min(max(TerminalSize.ofOutput?.columns ?? 80, 40), 100)
  private(set) var text = ""

  init(_ about: About, _ grammar: Grammar) {
    add("OVERVIEW: " + about.summary, indent: 0)
    text += "\n"
    add("USAGE: " + Help.usage(about.name, grammar), indent: 4)
    if let arguments = grammar.arguments {
      text += "\nARGUMENTS:\n"
      add(arguments.shown(""), arguments.help)
    }
    text += "\nOPTIONS:\n"
    for option in grammar.options { add(Help.names(option), option.help) }
  }

  /// The help of the program: its commands in groups.
  init(_ summary: String, example: String, _ commands: [About]) {
    add("OVERVIEW: " + summary, indent: 0)
    text += "\n\(example)\n\nUSAGE: pipe <subcommand>\n\nOPTIONS:\n"
    add("--version", "Show the version.")
    add("-h, --help", "Show help information.")
    for group in About.Group.allCases {
      text += "\n\(group.rawValue.uppercased()) SUBCOMMANDS:\n"
      for command in commands where command.group == group { add(command.name, command.summary) }
    }
    text += "\n  See 'pipe help <subcommand>' for detailed help.\n"
  }

  // `-q, --queue <dir>`, or `--keep [=<size>]`.
  private static func names(_ option: Declaration) -> String {
    let names = option.names.joined(separator: ", ")
    return option.takeAlone == nil ? option.shown(names) : "\(names)[=<\(option.value ?? "")>]"
  }

  private static func usage(_ name: String, _ grammar: Grammar) -> String {
    let options = grammar.options.dropLast(2)
    var parts = ["pipe", name]
    if options.count > 12 {
      parts.append("[<options>]")
    } else {
      parts += options.map { option in
        let more = option.isRepeatable && !option.takesSeveral ? " ..." : ""
        return Help.unbroken("[\(option.shown(option.name))\(more)]")
      }
    }
    if let arguments = grammar.arguments {
      let more = arguments.shown("") + (arguments.isRepeatable ? " ..." : "")
      let dashes = grammar.place == .afterDashes ? "-- " : ""
      parts.append(Help.unbroken(grammar.isRequired ? more : "[\(dashes)\(more)]"))
    }
    return parts.joined(separator: " ")
  }

  private static let unbrokenSpace: Character = "\u{a0}"

  private static func unbroken(_ text: String) -> String {
    String(text.map { $0 == " " ? unbrokenSpace : $0 })
  }

  private mutating func add(_ name: String, _ explanation: String) {
    let head = "  " + name
    if head.count < Help.margin {
      let gap = String(repeating: " ", count: Help.margin - head.count)
      add(head + gap + explanation, indent: Help.margin)
    } else {
      text += head + "\n"
      add(String(repeating: " ", count: Help.margin) + explanation, indent: Help.margin)
    }
  }

  // Wraps at spaces; the further lines are indented.
  private mutating func add(_ line: String, indent: Int) {
    var rest = line[...]
    while rest.count > columns,
      let space = rest.prefix(columns + 1).dropFirst(indent).lastIndex(of: " ")
    {
      text += Help.broken(rest[..<space]) + "\n"
      rest = String(repeating: " ", count: indent) + rest[rest.index(after: space)...]
    }
    text += Help.broken(rest) + "\n"
  }

  private static func broken(_ text: Substring) -> String {
    String(text.map { $0 == unbrokenSpace ? " " : $0 })
  }
}

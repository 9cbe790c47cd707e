internal import ArgumentParser

/// What may follow a command, as its `--help` says.
struct CommandShape {
  struct Option {
    /// `-q` and `--queue`.
    fileprivate(set) var names: [String]
    /// The name of its value, such as `dir`; nil for a flag.
    let value: String?
    fileprivate(set) var help: String

    /// The name to type: the long one if there is one.
    var name: String { names.last! }
    /// Whether the value may be left out.
    fileprivate(set) var isValueOptional = false
    var isRepeatable: Bool { help.contains("repeat") }
    /// Whether it takes several values.
    var takesSeveral: Bool { value?.contains(" ") ?? false }
  }

  private(set) var options: [Option] = []
  /// The name of its arguments, such as `id`; nil if it takes none.
  private(set) var argument: String?

  init(_ command: any ParsableCommand.Type) {
    // Wide enough that most lines are not wrapped.
    let help = Root.helpMessage(for: command, columns: 2000)
    var isOptions = false
    for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
      if !line.hasPrefix(" ") {
        isOptions = line.hasSuffix("OPTIONS:")
        if line == "ARGUMENTS:" { argument = "" }
        continue
      }
      if argument == "", let name = CommandShape.name(in: line) { argument = name }
      guard isOptions else { continue }
      if line.hasPrefix("  -") {
        options.append(Option(helpLine: line))
      } else {
        // The help of an option with a long name.
        options[options.count - 1].help = String(line.drop { $0 == " " })
      }
    }
  }

  func option(_ name: Substring) -> Option? { options.first { $0.names.contains(String(name)) } }

  /// The text between the first `<` and the next `>`.
  fileprivate static func name(in text: some StringProtocol) -> String? {
    guard let start = text.firstIndex(of: "<"), let end = text[start...].firstIndex(of: ">") else {
      return nil
    }
    return String(text[text.index(after: start)..<end])
  }
}

extension CommandShape.Option {
  // `  -q, --queue <dir>       The queue; …`: two spaces end the names.
  fileprivate init(helpLine line: Substring) {
    let text = line.dropFirst(2)
    let gap = text.indices.first { text[$0...].hasPrefix("  ") } ?? text.endIndex
    let head = text[..<gap]
    let isOptional = head.contains("[")
    self.init(
      names: head.split { $0 == " " || $0 == "," }.filter { $0.hasPrefix("-") }.map(String.init),
      value: CommandShape.name(in: head), help: String(text[gap...].drop { $0 == " " }))
    isValueOptional = isOptional
  }
}

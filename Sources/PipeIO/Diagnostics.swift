/// Writes lines to stderr, prefixed with the command's name.
package struct Diagnostics {
  package let command: String

  package init(command: String) { self.command = command }

  package func say(_ text: String) { complain(line(text)) }

  package func line(_ text: String) -> String { "pipe \(command): \(text)" }

  package func reject(_ source: String, line: Int, byte: Int?, _ reason: String) {
    say("\(printable(source)):\(line): " + (byte.map { "byte \($0): " } ?? "") + printable(reason))
  }
}

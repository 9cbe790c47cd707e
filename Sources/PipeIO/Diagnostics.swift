internal import Synchronization

/// A message for people, and what is known about it.
package struct Diagnostic: Sendable {
  package enum Level: String, Sendable {
    case trace, debug, info, notice, warning, error, critical
  }

  /// nil: no command was recognized.
  package let command: String?
  package let text: String
  package var level = Level.warning
  /// The queue of the command.
  package var queue: String?
  /// The entry.
  package var id: String?
  /// The file or stream, and the place in it.
  package var file: String?
  package var line: Int?
  package var byte: Int?

  fileprivate var plain: String { (command.map { "pipe \($0)" } ?? "pipe") + ": \(text)" }
}

/// Writes messages to stderr, one line each: text with the command's name first, or the form that
/// was chosen at the start.
package struct Diagnostics: Sendable {
  package let command: String?

  private struct Context {
    var form: (@Sendable (Diagnostic) -> String)?
    var queue: String?
  }

  private static let context = Mutex(Context())

  package init(command: String?) { self.command = command }

  /// From now on, lines have this form.
  package static func use(_ form: @escaping @Sendable (Diagnostic) -> String) {
    context.withLock { $0.form = form }
  }

  /// Notes the queue of this process, which is the first one that is named.
  package static func note(queue: String) {
    context.withLock { $0.queue = $0.queue ?? queue }
  }

  package func say(_ text: String) { say(text, .warning) }

  package func say(_ text: String, _ level: Diagnostic.Level = .warning, id: String? = nil) {
    complain(line(text, level, id: id))
  }

  package func say(_ fault: Fault) {
    var diagnostic = Diagnostic(command: command, text: fault.text, level: .error)
    diagnostic.file = fault.file
    complain(Diagnostics.line(diagnostic))
  }

  package func line(
    _ text: String, _ level: Diagnostic.Level = .warning, id: String? = nil
  ) -> String {
    Diagnostics.line(Diagnostic(command: command, text: text, level: level, id: id))
  }

  package func reject(_ source: String, line: Int, byte: Int?, _ reason: String) {
    let place = "\(printable(source)):\(line): " + (byte.map { "byte \($0): " } ?? "")
    complain(
      Diagnostics.line(
        Diagnostic(
          command: command, text: place + printable(reason), file: source, line: line, byte: byte)))
  }

  private static func line(_ diagnostic: Diagnostic) -> String {
    let (form, queue) = context.withLock { ($0.form, $0.queue) }
    guard let form else { return diagnostic.plain }
    var diagnostic = diagnostic
    diagnostic.queue = queue
    return form(diagnostic)
  }
}

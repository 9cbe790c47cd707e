import Foundation

/// How to run a program, without a shell.
package struct Command {
  package enum Input {
    case nothing
    /// All of it is there from the start, behind a pipe.
    case text(String)
    /// A pipe to which the test keeps writing.
    case held
  }

  package enum Output {
    case captured
    case file(String)
  }

  package var arguments: [String]
  /// All variables: by default those of the test, without the caller's queue.
  package var environment = Command.surroundings
  package var input = Input.nothing
  package var output = Output.captured
  /// Whether it has ended only when all that it started has ended, too.
  package var waitsForDescendants = true
  /// Its working directory, which exists as long as this does; nil: that of the test.
  package var scratch: Scratch?

  package init(_ arguments: [String]) { self.arguments = arguments }

  package init(_ arguments: String...) { self.init(arguments) }

  /// The binary under test.
  package static func pipe(_ arguments: String...) -> Command {
    Command([Binary.path] + arguments)
  }

  package func given(_ text: String) -> Command {
    var copy = self
    copy.input = .text(text)
    return copy
  }

  /// Its input is written by the test while it runs.
  package func holdingInput() -> Command {
    var copy = self
    copy.input = .held
    return copy
  }

  package func writing(to path: String) -> Command {
    var copy = self
    copy.output = .file(path)
    return copy
  }

  package func with(_ name: String, _ value: String) -> Command {
    var copy = self
    copy.environment[name] = value
    return copy
  }

  package func start() throws -> Child { try Child(self) }

  /// Runs it to the end.
  @discardableResult
  package func run() throws -> Run { try start().finish() }

  /// The same for a preparation.
  @discardableResult
  package func mustRun() throws -> Run { try run().mustSucceed() }

  private static let surroundings: [String: String] = {
    var all = ProcessInfo.processInfo.environment
    for name in ["PIPE_QUEUE", "PIPE_BINARY"] { all[name] = nil }
    // A crash must show at once, without a minute of symbol lookup.
    all["SWIFT_BACKTRACE"] = "enable=no"
    return all
  }()
}

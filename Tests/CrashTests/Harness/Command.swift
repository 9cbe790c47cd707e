import Foundation
import Glibc

/// How to run a program: without a shell, and without the caller's queue.
struct Command {
  enum Input {
    case nothing
    /// All of it is there from the start, behind a pipe.
    case text(String)
    /// A pipe to which the test keeps writing.
    case held
  }

  enum Output {
    case captured
    case file(String)
  }

  var arguments: [String]
  var environment: [String: String] = [:]
  var input = Input.nothing
  var output = Output.captured

  init(_ arguments: [String]) { self.arguments = arguments }

  init(_ arguments: String...) { self.init(arguments) }

  /// The binary under test.
  static func pipe(_ arguments: String...) -> Command { Command([Binary.path] + arguments) }

  func given(_ text: String) -> Command {
    var copy = self
    copy.input = .text(text)
    return copy
  }

  /// Its input is written by the test while it runs.
  func holdingInput() -> Command {
    var copy = self
    copy.input = .held
    return copy
  }

  func writing(to path: String) -> Command {
    var copy = self
    copy.output = .file(path)
    return copy
  }

  func with(_ name: String, _ value: String) -> Command {
    var copy = self
    copy.environment[name] = value
    return copy
  }

  func start() throws -> Child { try Child(self) }

  /// Runs it, and all that it starts, to the end.
  @discardableResult
  func run() throws -> Finished { try start().finish() }

  /// The same for a preparation, which must succeed.
  @discardableResult
  func mustRun() throws -> Finished {
    let result = try run()
    guard result.ending == .exited(0) else { throw Failure("a preparation failed: \(result)") }
    return result
  }

  /// `name=value`: the variables of the test, overridden by those of this command.
  var variables: [String] {
    var all = ProcessInfo.processInfo.environment
    for name in ["PIPE_QUEUE", "PIPE_BINARY"] { all[name] = nil }
    // A crash must show at once, without a minute of symbol lookup.
    all["SWIFT_BACKTRACE"] = "enable=no"
    return all.merging(environment) { $1 }.map { "\($0)=\($1)" }
  }
}

struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

enum Ending: Equatable {
  case exited(Int32)
  case killed(Int32)
  /// Nothing happened for a minute, so the test killed it.
  case hung

  init(status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
  }
}

/// A program that has ended, with all that is needed to run it again.
struct Finished: CustomStringConvertible {
  let command: Command
  let ending: Ending
  let output: [UInt8]
  let errors: String

  /// Complete lines of stdout.
  var lines: [String] { completeLines(output) }

  /// Ids of the receipts that were printed completely.
  var receipts: [String] {
    lines.compactMap { line in
      guard line.hasPrefix(#"{"ingestion_id":""#), line.hasSuffix("}") else { return nil }
      return String(line.dropFirst(17).prefix(26))
    }
  }

  var description: String {
    """
    cwd:    \(FileManager.default.currentDirectoryPath)
    argv:   \(command.arguments.joined(separator: " "))
    status: \(ending)
    stdout: \(String(decoding: output.prefix(2000), as: UTF8.self))
    stderr: \(errors.prefix(2000))
    """
  }
}

/// The lines of `bytes`; a rest without a newline is not one.
func completeLines(_ bytes: [UInt8]) -> [String] {
  var pieces = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
  pieces.removeLast()
  return pieces.map { String(decoding: $0, as: UTF8.self) }
}

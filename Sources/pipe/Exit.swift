internal import ArgumentParser
internal import Glibc
internal import PipeIO

/// Exit statuses, from sysexits.h where it has a word for it.
enum Exit {
  static let fine: Int32 = 0
  static let someFailed: Int32 = 1
  static let usage: Int32 = 64
  static let data: Int32 = 65

  static func status(of kind: Fault.Kind) -> Int32 {
    switch kind {
    case .unknown: 1
    case .usage: 64
    case .notFound: 66
    case .unavailable: 69
    case .bug: 70
    case .cannotCreate: 73
    case .inputOutput, .outcomeUnknown: 74
    case .tryLater: 75
    case .claimLost: 76
    case .permission: 77
    case .settings: 78
    }
  }

  /// Runs a command to the end of the process. The one place where a fault becomes a line and a status.
  static func perform(_ name: String, _ body: () throws(Fault) -> Int32) -> Never {
    do throws(Fault) {
      let status = try body()
      // What is long to close comes first: a parent that sees the output close finds the process ended.
      closeFiles()
      exit(status)
    } catch {
      // The reader has all it wanted: a filter dies of this as if it had never looked.
      if error.code == EPIPE { die(of: SIGPIPE) }
      complain("pipe \(name): \(error.text)")
      if error.code == EINTR, let signal = Stops.signals.last { die(of: signal) }
      exit(status(of: error.kind))
    }
  }
}

/// Lines on stderr under the command's name.
struct Diagnostics {
  let command: String

  func say(_ text: String) { complain(line(text)) }

  func line(_ text: String) -> String { "pipe \(command): \(text)" }

  func reject(_ source: String, line: Int, byte: Int?, _ reason: String) {
    say("\(printable(source)):\(line): " + (byte.map { "byte \($0): " } ?? "") + printable(reason))
  }
}

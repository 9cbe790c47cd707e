internal import Glibc

/// Exit statuses, from sysexits.h where it defines one.
package enum Exit {
  package static let fine: Int32 = 0
  package static let someFailed: Int32 = 1
  package static let data: Int32 = 65

  package static func status(of kind: Fault.Kind) -> Int32 {
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

  /// Runs a command and ends the process. A fault becomes a line on stderr and an exit status.
  package static func perform(_ name: String, _ body: () throws(Fault) -> Int32) -> Never {
    do throws(Fault) {
      let status = try body()
      // Slow closes come first, so that the process ends soon after its parent sees stdout close.
      closeFiles()
      exit(status)
    } catch {
      // The reader wants no more: end by SIGPIPE, as a filter that does not handle it does.
      if error.code == EPIPE { die(of: SIGPIPE) }
      complain("pipe \(name): \(error.text)")
      if error.code == EINTR, let signal = Stops.signals.last { die(of: signal) }
      exit(status(of: error.kind))
    }
  }
}

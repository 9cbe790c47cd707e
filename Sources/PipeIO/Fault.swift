internal import Glibc

/// What failed, where, and what it means for the caller. Created where it happens and printed once,
/// at the top or where it is handled. Callers in between may add to the text or change the kind.
package struct Fault: Error, Equatable {
  /// The classes that a caller can act on; `Exit.status(of:)` maps each to an exit status.
  package enum Kind: Equatable {
    case notFound, unavailable, bug, cannotCreate, inputOutput, outcomeUnknown, tryLater, claimLost
    case permission, settings, usage
    /// The queue has no record of what the caller asked for.
    case unknown
  }

  package let kind: Kind
  package let text: String
  /// `errno`, or 0 if no system call failed.
  package let code: Int32
  /// The path of a system call that failed.
  let file: String?

  package init(_ kind: Kind, _ text: String, code: Int32 = 0) {
    self.init(kind, text, code, nil)
  }

  private init(_ kind: Kind, _ text: String, _ code: Int32, _ file: String?) {
    self.kind = kind
    self.text = text
    self.code = code
    self.file = file
  }

  /// A system call that failed: `path: cannot operation: reason`.
  package init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.init(
      Fault.kind(ofErrno: code),
      "\(printable(path)): cannot \(operation): \(String(cString: strerror(code)))",
      code, path)
  }

  /// The reader of stdout has closed it.
  package static var brokenPipe: Fault { Fault("write", "stdout", code: EPIPE) }

  /// Whether the disk or the quota of the user is full.
  package var isDiskFull: Bool { Fault.isDiskFull(code) }

  static func isDiskFull(_ code: Int32) -> Bool { code == ENOSPC || code == EDQUOT }

  static func kind(ofErrno code: Int32) -> Kind {
    switch code {
    case ENOENT, ENOTDIR, ESTALE: .notFound
    case EACCES, EPERM, EROFS: .permission
    case ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EAGAIN, EMLINK: .tryLater
    default: .inputOutput
    }
  }
}

/// A name as messages show it. Escapes control characters, which a terminal would obey,
/// bidirectional controls, and bytes that are not UTF-8.
package func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: isUnprintable) else { return text }
  var out = ""
  for scalar in text.unicodeScalars {
    if let byte = scalar.foreignByte {
      out += "\\x" + String(byte, radix: 16)
    } else if isUnprintable(scalar) {
      out += "\\u{" + String(scalar.value, radix: 16) + "}"
    } else {
      out.unicodeScalars.append(scalar)
    }
  }
  return out
}

private func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
  scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
    || scalar.foreignByte != nil || (0x202a...0x202e).contains(scalar.value)
    || (0x2066...0x2069).contains(scalar.value)
}

/// Repeats a system call while a signal interrupts it (EINTR).
@inline(__always)
package func retryingInterrupts<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

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
      Diagnostics(command: name).say(error)
      if error.code == EINTR, let signal = Stops.signals.last { die(of: signal) }
      exit(status(of: error.kind))
    }
  }
}

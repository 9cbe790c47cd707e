internal import Glibc

/// What went wrong, where, and what it means for the caller. Made once where it happens, carried
/// untouched to the top, printed there once.
package struct Fault: Error, Equatable {
  /// The classes a caller can act on; the program maps each to one exit status (sysexits.h).
  package enum Kind: Equatable {
    case notFound, unavailable, bug, cannotCreate, inputOutput, outcomeUnknown, tryLater, claimLost
    case permission, settings, usage
    /// Of what is asked for nothing is known.
    case unknown
  }

  package let kind: Kind
  package let text: String
  /// `errno`, or 0 where no system call failed.
  package let code: Int32

  package init(_ kind: Kind, _ text: String, code: Int32 = 0) {
    self.kind = kind
    self.text = text
    self.code = code
  }

  /// A system call that failed: `path: cannot operation: reason`.
  package init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.init(
      Fault.kind(ofErrno: code),
      "\(printable(path)): cannot \(operation): \(String(cString: strerror(code)))",
      code: code)
  }

  /// The reader of stdout has gone.
  package static var brokenPipe: Fault { Fault("write", "stdout", code: EPIPE) }

  static func kind(ofErrno code: Int32) -> Kind {
    switch code {
    case ENOENT, ENOTDIR, ESTALE: .notFound
    case EACCES, EPERM, EROFS: .permission
    case ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM, EAGAIN, EMLINK: .tryLater
    default: .inputOutput
    }
  }
}

/// A name as a message shows it: control characters, which a terminal would obey, and bytes that are not
/// UTF-8 are escaped.
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

/// Runs a system call again while a signal interrupts it: the one place where EINTR is retried.
@inline(__always)
package func retryingInterrupts<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

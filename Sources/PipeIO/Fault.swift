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

  /// The reader of stdout has closed it.
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

internal import CPipeIO
internal import Glibc

// Words of the command line, variables and paths are bytes, which need not be UTF-8. As a String each byte
// that is not is one character, U+10FE00 and the byte, and so is each byte of such a character itself; so
// the bytes come back exactly as they were.

extension String {
  /// Of what the system gave: any bytes.
  package init(system text: UnsafePointer<CChar>) {
    if let whole = String(validatingCString: text), !whole.mayBeForeign {
      self = whole
      return
    }
    self.init()
    let bytes = UnsafeRawBufferPointer(start: text, count: strlen(text))
    var at = 0
    while at < bytes.count {
      let length = String.plainLength(bytes, at)
      if length > 0 {
        append(String(decoding: bytes[at..<(at + length)], as: UTF8.self))
      } else {
        unicodeScalars.append(String.scalar(of: bytes[at]))
      }
      at += max(1, length)
    }
  }

  /// What the system gets for it.
  package func withSystemText<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    guard mayBeForeign else { return withCString(body) }
    return (systemBytes + [0]).withUnsafeBytes {
      body($0.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }

  /// Without a NUL at the end.
  package var systemBytes: [UInt8] {
    var bytes: [UInt8] = []
    for scalar in unicodeScalars {
      if let byte = scalar.foreignByte { bytes.append(byte) } else { bytes += UTF8.encode(scalar)! }
    }
    return bytes
  }

  /// Whether it came as UTF-8: what is not can be a path, but no text.
  package var isUTF8: Bool {
    !mayBeForeign || unicodeScalars.allSatisfy { $0.foreignByte == nil }
  }

  // Only such characters begin with this byte: a look without taking the text apart.
  private var mayBeForeign: Bool { utf8.contains(0xf4) }

  /// How many bytes the character at `index` has; 0 where there is none, or one that has to be kept apart.
  private static func plainLength(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int {
    let length =
      switch bytes[index] {
      case ..<0x80: 1
      case ..<0xe0: 2
      case ..<0xf0: 3
      default: 4
      }
    guard index + length <= bytes.count,
      let text = String(validating: bytes[index..<(index + length)], as: UTF8.self),
      text.unicodeScalars.first?.foreignByte == nil
    else { return 0 }
    return length
  }

  private static func scalar(of byte: UInt8) -> Unicode.Scalar {
    Unicode.Scalar(0x10fe00 + UInt32(byte))!
  }
}

extension Unicode.Scalar {
  /// The byte that it is in place of.
  var foreignByte: UInt8? {
    (0x10fe80...0x10feff).contains(value) ? UInt8(truncatingIfNeeded: value) : nil
  }
}

/// As open(2), close-on-exec.
package func openFile(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) -> Int32 {
  retryingInterrupts {
    path.withSystemText { cpipe_openat(AT_FDCWD, $0, flags | O_CLOEXEC, mode) }
  }
}

/// Of the environment; an empty one counts as none.
package func variable(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(system: value)
}

/// Without links and dots; nil where it does not exist.
package func absolutePath(_ path: String) -> String? {
  guard let found = path.withSystemText({ realpath($0, nil) }) else { return nil }
  defer { free(found) }
  return String(system: found)
}

internal import CPipeIO
internal import Glibc

// Words of the command line, environment variables and paths are bytes, which need not be UTF-8. A
// String holds each byte that is not UTF-8 as one character, U+10FE00 plus the byte. Each byte of
// such a character in the input is held the same way, so the bytes round-trip exactly.

extension String {
  /// From bytes that the system passed, UTF-8 or not.
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

  /// From bytes that the system passed, without a NUL at the end.
  package init(systemBytes bytes: [UInt8]) {
    self = (bytes + [0]).withUnsafeBytes {
      String(system: $0.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }

  /// Calls `body` with the original bytes, NUL-terminated.
  package func withSystemText<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    guard mayBeForeign else { return withCString(body) }
    return (systemBytes + [0]).withUnsafeBytes {
      body($0.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }

  /// The original bytes, without a NUL at the end.
  package var systemBytes: [UInt8] {
    var bytes: [UInt8] = []
    for scalar in unicodeScalars {
      if let byte = scalar.foreignByte { bytes.append(byte) } else { bytes += UTF8.encode(scalar)! }
    }
    return bytes
  }

  /// Whether the original bytes were UTF-8. Other bytes can be a path but not text.
  package var isUTF8: Bool {
    !mayBeForeign || unicodeScalars.allSatisfy { $0.foreignByte == nil }
  }

  // Only characters from U+100000 on begin with this byte: a fast test without decoding.
  private var mayBeForeign: Bool { utf8.contains(0xf4) }

  /// Length in bytes of the character at `index`; 0 if there is none, or if it must be held byte by
  /// byte.
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

/// Words that the system takes, each with a NUL at its end, in one block of memory.
package struct SystemWords {
  private var bytes: [UInt8] = []
  private var starts: [Int] = []

  package init() {}

  package init(_ words: [[UInt8]]) {
    for word in words { append { $0 += word } }
  }

  /// Appends the word that `write` appends to the bytes. If `write` throws, there is no such word.
  package mutating func append<Failure>(
    _ write: (inout [UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    let start = bytes.count
    do throws(Failure) { try write(&bytes) } catch {
      bytes.removeLast(bytes.count - start)
      throw error
    }
    bytes.append(0)
    starts.append(start)
  }

  /// Calls `body` with a pointer to each word.
  package func withPointers<Result, Failure>(
    _ body: ([UnsafeMutablePointer<CChar>?]) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in
      try body(
        starts.map {
          UnsafeMutableRawPointer(mutating: bytes.baseAddress! + $0)
            .assumingMemoryBound(to: CChar.self)
        })
    }
  }
}

extension Unicode.Scalar {
  /// The byte that this character represents, if it represents one.
  var foreignByte: UInt8? {
    (0x10fe80...0x10feff).contains(value) ? UInt8(truncatingIfNeeded: value) : nil
  }
}

/// open(2), close-on-exec.
package func openFile(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) -> Int32 {
  retryingInterrupts {
    path.withSystemText { cpipe_openat(AT_FDCWD, $0, flags | O_CLOEXEC, mode) }
  }
}

/// A variable of the environment; nil if it is unset or empty.
package func variable(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(system: value)
}

/// The path without symbolic links and dots; nil if it does not exist.
package func absolutePath(_ path: String) -> String? {
  guard let found = path.withSystemText({ realpath($0, nil) }) else { return nil }
  defer { free(found) }
  return String(system: found)
}

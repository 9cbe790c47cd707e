import Testing

@testable import PipeJSON

/// Lends the bytes in memory that ends where they end.
func lend<R>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> R) -> R {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { copy.deallocate() }
  copy.copyBytes(from: bytes)
  return body(UnsafeRawBufferPointer(copy))
}

func scan(_ bytes: [UInt8], watching names: [String] = []) -> Result<Span, JSONFault> {
  lend(bytes) { line in
    var scanner = LineScanner(watching: names)
    return Result { () throws(JSONFault) in try scanner.scan(line) }
  }
}

func scan(_ text: String, watching names: [String] = []) -> Result<Span, JSONFault> {
  scan(Array(text.utf8), watching: names)
}

extension Result where Failure == JSONFault {
  var fault: JSONFault? {
    if case .failure(let fault) = self { fault } else { nil }
  }

  var value: Success? { try? get() }
}

/// A rejected line: its fault and the place of it.
struct Bad: CustomTestStringConvertible, Sendable {
  let bytes: [UInt8]
  let fault: JSONFault

  init(_ text: String, _ byte: Int, _ reason: JSONFault.Reason) {
    self.init(Array(text.utf8), byte, reason)
  }

  init(_ bytes: [UInt8], _ byte: Int, _ reason: JSONFault.Reason) {
    self.bytes = bytes
    fault = JSONFault(byte, reason)
  }

  /// A string of these bytes; `byte` counts from its opening quote.
  init(string bytes: [UInt8], _ byte: Int, _ reason: JSONFault.Reason) {
    self.init([0x22] + bytes + [0x22], byte, reason)
  }

  var testDescription: String { String(decoding: bytes, as: UTF8.self) }
}

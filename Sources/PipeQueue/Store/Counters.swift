internal import Glibc
package import PipeIO

/// Counters that only grow, kept in the slots of owners/. Each holder of a slot continues from the
/// numbers of the previous one; the value of a counter is the sum over all slots.
package enum Counter: String, CaseIterable {
  /// Lines rejected before they became entries.
  case failedValidations = "failed_validations_total"
  /// Accepted lines that were not stored.
  case ingestionErrors = "ingestion_errors_total"

  // `name 00000000000000000042` and a newline: of fixed width, so that one write replaces it.
  private static let nameWidth = 32
  private static let digits = 20
  static let lineWidth = nameWidth + 1 + digits + 1
  static let most = 999_999_999_999_999_999

  var offset: Int { Counter.allCases.firstIndex(of: self)! * Counter.lineWidth }

  func line(_ value: Int) -> [UInt8] {
    var line =
      Array(rawValue.utf8)
      + [UInt8](repeating: space, count: Counter.lineWidth - rawValue.utf8.count)
    line[Counter.lineWidth - 1] = newline
    line.withUnsafeMutableBufferPointer {
      write(value, width: Counter.digits, to: $0.baseAddress! + Counter.nameWidth + 1)
    }
    return line
  }

  /// 0 if nothing was counted, the line cannot be read, or the number has more than 18 digits,
  /// which no counter reaches.
  func value(in line: UnsafeRawBufferPointer) -> Int {
    guard line.count == Counter.lineWidth else { return 0 }
    let text = cut(line, Counter.nameWidth + 1, Counter.lineWidth - 1)
    guard text.starts(with: "00".utf8) else { return 0 }
    return padded(text) ?? 0
  }
}

extension Queue {
  /// The sum over all slots.
  package func total(_ counter: Counter) throws(Fault) -> Int {
    let owners = try part("owners")
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Counter.lineWidth, alignment: 8)
    defer { buffer.deallocate() }
    var sum = 0
    for name in try owners.names() where name.utf8.allSatisfy({ $0 &- 0x30 < 10 }) {
      guard let file = try? Descriptor.open(name, in: owners, O_RDONLY),
        let count = try? file.read(into: buffer, at: counter.offset)
      else { continue }
      sum = min(.max / 2, sum) + counter.value(in: cut(UnsafeRawBufferPointer(buffer), 0, count))
    }
    return sum
  }

  /// Adds `amount` to a counter.
  package func count(_ counter: Counter, _ amount: Int) throws(Fault) {
    guard amount > 0 else { return }
    let owner = try Owner.take(self)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Counter.lineWidth, alignment: 8)
    defer { buffer.deallocate() }
    let count = try owner.file.read(into: buffer, at: counter.offset)
    let old = counter.value(in: cut(UnsafeRawBufferPointer(buffer), 0, count))
    try counter.line(min(Counter.most, old + amount)).write(to: owner.file, at: counter.offset)
  }
}

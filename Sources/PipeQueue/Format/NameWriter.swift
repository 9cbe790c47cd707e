internal import CPipeIO

/// Writes a name, or another short text of numbers, into memory of a fixed size. Every claim makes
/// names, and interpolated strings would cost ten times as much.
struct NameWriter {
  private let memory: UnsafeMutableBufferPointer<UInt8>
  private(set) var count = 0
  private var sum = (start: 1, tail: 1)

  /// Bytes that suffice for every name: a lane, two positions, a checksum and the longest state.
  static let longest = 320

  init(_ memory: UnsafeMutableBufferPointer<UInt8>) { self.memory = memory }

  mutating func append(_ byte: UInt8) {
    memory[count] = byte
    count += 1
  }

  mutating func append(_ text: StaticString) {
    for byte in UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount) {
      append(byte)
    }
  }

  mutating func append(_ number: Int) {
    if number < 0 { append(dash) }
    let magnitude = number.magnitude
    let width = decimalWidth(magnitude)
    let end = count + width
    precondition(end <= memory.count)
    write(magnitude, width: width, to: memory.baseAddress! + count)
    count = end
  }

  mutating func append(_ id: BatchID) {
    precondition(count + EntryID.length <= memory.count)
    id.write(to: memory.baseAddress! + count)
    count += EntryID.length
  }

  mutating func append(hex value: UInt32) {
    precondition(count + 8 <= memory.count)
    writeHex(value, to: memory.baseAddress! + count)
    count += 8
  }

  /// A dot, then the number.
  mutating func append(field number: Int) {
    append(dot)
    append(number)
  }

  mutating func append(_ position: Position) {
    append(position.number)
    append(dot)
    append(position.segment)
    append(dot)
    append(position.offset)
  }

  mutating func append(_ range: ItemRange) {
    append(range.from)
    append(dash)
    append(range.to)
  }

  /// Appends a dot and room for the checksum of the name. `separator`: the byte after it, which the
  /// checksum does not cover.
  mutating func appendChecksum(separator: UInt8? = nil) {
    append(dot)
    let start = count
    append("00000000")
    if let separator { append(separator) }
    sum = (start, count)
  }

  /// Fills in the checksum of everything written before and after it. `prefix`: bytes that it
  /// covers in addition.
  func fillChecksum(after prefix: StaticString = "") {
    let all = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count])
    let before = UnsafeRawBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
    NameChecksum(before, cut(all, 0, sum.start - 1), cut(all, sum.tail, count))
      .write(to: memory.baseAddress! + sum.start)
  }
}

extension String {
  /// A name of at most `NameWriter.longest` bytes.
  init(name write: (inout NameWriter) -> Void) {
    self.init(unsafeUninitializedCapacity: NameWriter.longest) { memory in
      var writer = NameWriter(memory)
      write(&writer)
      return writer.count
    }
  }
}

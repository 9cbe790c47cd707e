import Testing

@testable import PipeQueue

@Suite("The text of columns")
struct ColumnTextTests {
  @Test("a number of every width is padded with zeros, and read back", arguments: 1...18)
  func numbers(width: Int) {
    let most = (0..<width).reduce(1) { power, _ in power * 10 } - 1
    let corners = [0, 1, 9, 10, 99, 100, 9999, 10_000, 99_999_999, 100_000_000, most / 2, most]
    let numbers = corners.filter { $0 <= most } + (0..<2000).map { _ in Int.random(in: 0...most) }
    for number in numbers {
      var text = [UInt8](repeating: 0, count: width)
      text.withUnsafeMutableBufferPointer { write(number, width: width, to: $0.baseAddress!) }
      let digits = String(number)
      let expected = String(repeating: "0", count: width - digits.count) + digits
      #expect(String(decoding: text, as: UTF8.self) == expected)
      #expect(text.withUnsafeBytes(padded) == number)
    }
  }

  @Test("a column with one byte that is not a digit is not a number", arguments: [8, 15, 16])
  func digitsOnly(width: Int) {
    for place in 0..<width {
      for byte in UInt8.min ... .max where !(0x30...0x39).contains(byte) {
        var text = [UInt8](repeating: 0x39, count: width)
        text[place] = byte
        #expect(text.withUnsafeBytes(padded) == nil, "\(byte) at \(place)")
      }
    }
  }

  @Test("a checksum is eight lower-case digits, and is read back")
  func checksums() {
    let corners: [UInt32] = [0, 9, 10, 0x0123_4567, 0x89ab_cdef, .max]
    for value in corners + (0..<2000).map({ _ in UInt32.random(in: 0 ... .max) }) {
      var text = [UInt8](repeating: 0, count: 8)
      text.withUnsafeMutableBufferPointer { writeHex(value, to: $0.baseAddress!) }
      let digits = String(value, radix: 16)
      let expected = String(repeating: "0", count: 8 - digits.count) + digits
      #expect(String(decoding: text, as: UTF8.self) == expected)
      #expect(text.withUnsafeBytes(hex) == value)
    }
  }
}

import TestSupport
import Testing

@testable import PipeJSON

@Suite struct TextTests {
  private func decoded(_ string: String) -> String {
    String(decoding: lend(Array(string.utf8)) { decodeString($0) }, as: UTF8.self)
  }

  private func encoded(_ text: String) -> String {
    var out: [UInt8] = []
    lend(Array(text.utf8)) { appendJSONString($0, to: &out) }
    return String(decoding: out, as: UTF8.self)
  }

  @Test(
    "a string is decoded to the text that it represents",
    arguments: [
      (#""""#, ""), (#""abc""#, "abc"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
      (#""\u0041\u00e9\u65E5""#, "Aé日"), (#""\ud83d\udc4d""#, "👍"),
      (#""x\uDBFF\uDFFFy""#, "x\u{10FFFF}y"),
      (#""é\né""#, "é\né"), (#""\u0000""#, "\0"), (#""\\u0041""#, #"\u0041"#),
    ])
  func decoding(_ string: String, _ text: String) {
    #expect(decoded(string) == text)
  }

  @Test("text is written with the fewest escapes")
  func encoding() {
    #expect(encoded("") == #""""#)
    #expect(encoded("plain é 日 👍 /") == #""plain é 日 👍 /""#)
    #expect(encoded("\"\\\n\t\r\u{8}\u{C}") == #""\"\\\n\t\r\b\f""#)
    #expect(encoded("\0\u{1}\u{1F}\u{7F}") == #""\u0000\u0001\u001F\u007F""#)
  }

  @Test("encoded text is one string, and decodes to itself")
  func roundTrip() {
    var random = SplitMix(seed: 3)
    for _ in 0..<500 {
      let scalars = (0..<Int.random(in: 0...30, using: &random)).compactMap { _ in
        Unicode.Scalar(
          UInt32.random(in: 0...(Bool.random(using: &random) ? 0x7F : 0x10FFFF), using: &random))
      }
      var text = ""
      text.unicodeScalars.append(contentsOf: scalars)
      let string = encoded(text)
      #expect(scan(string).value == Span(0, string.utf8.count, .string))
      #expect(Array(decoded(string).utf8) == Array(text.utf8))
    }
  }

  @Test(
    "a byte that needs an escape, or is not ASCII, is found at each place of a text of each length")
  func places() {
    for length in 1...40 {
      for place in 0..<length {
        for special in ["\"", "\\", "\u{1f}", "\u{7f}", "\0"] {
          let text =
            String(repeating: "a", count: place) + special
            + String(repeating: "~", count: length - place - 1)
          let string = encoded(text)
          #expect(scan(string).value == Span(0, string.utf8.count, .string), "\(string)")
          #expect(decoded(string) == text)
        }
        var bytes = [UInt8](repeating: 0x20, count: length)
        #expect(lend(bytes) { isUTF8($0) })
        bytes[place] = 0xff
        #expect(!lend(bytes) { isUTF8($0) }, "\(bytes)")
      }
    }
  }
}

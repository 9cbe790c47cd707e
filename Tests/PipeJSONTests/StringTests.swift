import Testing

@testable import PipeJSON

@Suite struct StringTests {
  @Test(
    "a string may hold all of Unicode, and all escapes",
    arguments: [
      "", "a", "fifteen bytes..", "sixteen bytes...", "seventeen bytes..", "é", "日本語テキスト",
      "👍🏽", "\u{7F}", "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}",
      "\u{10000}", "\u{10FFFF}", "\u{FEFF}", #"\"\\\/\b\f\n\r\t"#, #"\u0000\u001F\u00e9\uFFFF"#,
      #"\uD800\uDC00"#, #"\uDBFF\uDFFF"#, #"\ud83d\udc4d and more text after it"#,
      #"plain text before an escape\n"#, #"\\"#, #"sixteen bytes...\"sixteen bytes..."#,
    ])
  func accepted(_ body: String) {
    let count = body.utf8.count + 2
    #expect(scan("\"\(body)\"").value == Span(0, count, .string))
    #expect(scan("[\"\(body)\"                ]").value?.kind == .array)
  }

  @Test(
    "an unfinished or badly escaped string is rejected where it goes wrong",
    arguments: [
      Bad("\"", 1, .unexpectedEnd), Bad("\"a", 2, .unexpectedEnd),
      Bad("\"sixteen bytes...", 17, .unexpectedEnd), Bad(#""\"#, 2, .unexpectedEnd),
      Bad(#""\""#, 3, .unexpectedEnd), Bad(#""\x""#, 2, .unknownEscape),
      Bad(#""\'""#, 2, .unknownEscape), Bad(#""\U0041""#, 2, .unknownEscape),
      Bad(#""\0""#, 2, .unknownEscape), Bad(#""\u"#, 3, .unexpectedEnd),
      Bad(#""\u12"#, 5, .unexpectedEnd), Bad(#""\u12""#, 5, .expectedHexDigit),
      Bad(#""\u123g""#, 6, .expectedHexDigit), Bad(#""\u 123""#, 3, .expectedHexDigit),
      Bad(#""\u+123""#, 3, .expectedHexDigit), Bad(#""\uD800""#, 1, .unpairedSurrogate),
      Bad(#""ab\uD800x""#, 3, .unpairedSurrogate), Bad(#""\uD800\n""#, 1, .unpairedSurrogate),
      Bad(#""\uD800\uD800""#, 1, .unpairedSurrogate), Bad(#""\uDC00""#, 1, .unpairedSurrogate),
      Bad(#""\uDC00\uD800""#, 1, .unpairedSurrogate), Bad(#""\uDFFF""#, 1, .unpairedSurrogate),
      Bad(#""\uD800\u0041""#, 1, .unpairedSurrogate), Bad(#""\uD800\u12""#, 11, .expectedHexDigit),
      Bad(#""\uD800"#, 7, .unexpectedEnd), Bad(#""\uD800\"#, 8, .unexpectedEnd),
      Bad(#"{"\ud800":1}"#, 2, .unpairedSurrogate), Bad("'a'", 0, .expectedValue),
    ])
  func badEscapes(_ bad: Bad) {
    #expect(scan(bad.bytes).fault == bad.fault)
  }

  @Test(
    "bytes that are not UTF-8 are rejected at the sequence's first byte",
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80],
      [0xE0, 0x9F, 0xBF], [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28], [0xED, 0xA0, 0x80],
      [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x91],
      [0xF0, 0x9F, 0x91, 0x28], [0xF0, 0x28, 0x8C, 0xBC], [0xF4, 0x90, 0x80, 0x80],
      [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xC3, 0xC3, 0xA9],
    ] as [[UInt8]])
  func badUTF8(_ bytes: [UInt8]) {
    let before = Array("é and some more text ".utf8)
    for part in [[], before] {
      let expected = JSONFault(part.count + 1, .invalidUTF8)
      #expect(scan([0x22] + part + bytes + [0x22]).fault == expected)
      #expect(scan([0x22] + part + bytes).fault == expected)
      #expect(scan([0x22] + part + bytes + Array("after it\"    ".utf8)).fault == expected)
    }
  }

  @Test("each control byte in a string is rejected and named", arguments: UInt8(0)..<0x20)
  func controlBytes(_ byte: UInt8) {
    for length in [0, 3, 15, 16, 40] {
      let bytes = [0x22] + [UInt8](repeating: 0x61, count: length) + [byte, 0x22]
      #expect(scan(bytes).fault == JSONFault(length + 1, .controlByte(byte)))
    }
  }

  @Test("a fault describes the error in words")
  func words() {
    #expect(JSONFault.Reason.controlByte(0).text == "control byte 0x00 in a string")
    #expect(JSONFault.Reason.controlByte(0x1F).text == "control byte 0x1F in a string")
    #expect(JSONFault.Reason.duplicateMember("ids").text == "duplicate member \"ids\"")
    #expect(JSONFault.Reason.tooDeep.text == "nesting deeper than 512")
  }
}

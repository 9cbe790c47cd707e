import TestSupport
import Testing

@testable import PipeJSON

@Suite struct GrammarTests {
  @Test(
    "a number may be written in all the ways JSON has",
    arguments: [
      "0", "-0", "1", "-1", "10", "1234567890", "12345678", "123456789012345678901234567890",
      "1.0", "0.5", "-0.0", "1.25e10", "1e5", "1E5", "1e+5", "1e-5", "0e0", "1.5E+300", "1e999",
      "0.00000000000000000001", "-123.456e-78", "12345678.12345678e12345678",
    ])
  func numbers(_ text: String) {
    let kind: Kind = text.contains { ".eE".contains($0) } ? .number : .integer
    #expect(scan(text).value == Span(0, text.utf8.count, kind))
    #expect(scan("[\(text)]").value?.kind == .array)
  }

  @Test(
    "a number in any other way is rejected where it goes wrong",
    arguments: [
      Bad("01", 0, .leadingZero), Bad("-01", 1, .leadingZero), Bad("00", 0, .leadingZero),
      Bad("01.5", 0, .leadingZero), Bad("1.", 2, .unexpectedEnd), Bad("1.e5", 2, .expectedDigit),
      Bad("1.]", 2, .expectedDigit), Bad(".5", 0, .expectedValue), Bad("-.5", 1, .expectedDigit),
      Bad("1e", 2, .unexpectedEnd), Bad("1e+", 3, .unexpectedEnd), Bad("1e+-5", 3, .expectedDigit),
      Bad("1e 5", 2, .expectedDigit), Bad("1e1.5", 3, .expectedEnd), Bad("1.2.3", 3, .expectedEnd),
      Bad("-", 1, .unexpectedEnd), Bad("--1", 1, .expectedDigit), Bad("- 1", 1, .expectedDigit),
      Bad("+1", 0, .expectedValue), Bad("0x10", 1, .expectedEnd), Bad("1_000", 1, .expectedEnd),
      Bad("1,000", 1, .expectedEnd), Bad("NaN", 0, .expectedValue),
      Bad("Infinity", 0, .expectedValue), Bad("-Infinity", 1, .expectedDigit),
      Bad("1f", 1, .expectedEnd), Bad("[1 2]", 3, .expectedCommaOrBracket),
      Bad("12345678x", 8, .expectedEnd), Bad("1234567890123456-", 16, .expectedEnd),
      Bad("[0/]", 2, .expectedCommaOrBracket), Bad("[0:]", 2, .expectedCommaOrBracket),
    ])
  func badNumbers(_ bad: Bad) {
    #expect(scan(bad.bytes).fault == bad.fault)
  }

  @Test("true, false and null are values, with white space around them")
  func literals() {
    #expect(scan("true").value == Span(0, 4, .boolean))
    #expect(scan(" false\r").value == Span(1, 6, .boolean))
    #expect(scan("\t\n\r null \t\n\r").value == Span(4, 8, .null))
  }

  @Test(
    "a literal cut short or misspelt is rejected at the first wrong byte",
    arguments: [
      Bad("t", 1, .unexpectedEnd), Bad("tru", 3, .unexpectedEnd), Bad("fals", 4, .unexpectedEnd),
      Bad("nul", 3, .unexpectedEnd), Bad("True", 0, .expectedValue),
      Bad("tRue", 1, .expectedLiteral),
      Bad("nulL", 3, .expectedLiteral), Bad("[fals]", 5, .expectedLiteral),
      Bad("truee", 4, .expectedEnd), Bad("nullnull", 4, .expectedEnd),
      Bad("undefined", 0, .expectedValue), Bad("[nan]", 2, .expectedLiteral),
    ])
  func badLiterals(_ bad: Bad) {
    #expect(scan(bad.bytes).fault == bad.fault)
  }

  @Test(
    "objects and arrays hold values of all kinds, with any white space",
    arguments: [
      "{}", "[]", "{ }", "[ ]", "[[]]", "[{}]", "{\"a\":{}}", "{\"\":0}", "[1,\"2\",[3],{\"4\":5}]",
      "{\"a\":1,\"a\":2}", " { \"a\" : 1 , \"b\" : [ 1 , 2 ] } ", "[\n1\n,\r\n2\t]",
      "{\"a\":{\"b\":{\"c\":[[],{},[{}]]}}}", "[null,true,false,1,1.5,\"\"]", "{\"a\":[],\"b\":{}}",
    ])
  func containers(_ text: String) {
    #expect(scan(text).fault == nil)
  }

  @Test(
    "a line that is not JSON is rejected where it goes wrong",
    arguments: [
      Bad("", 0, .unexpectedEnd), Bad(" ", 1, .unexpectedEnd), Bad("\r", 1, .unexpectedEnd),
      Bad("[", 1, .unexpectedEnd), Bad("{", 1, .unexpectedEnd), Bad("]", 0, .expectedValue),
      Bad("}", 0, .expectedValue), Bad(",", 0, .expectedValue), Bad("[1", 2, .unexpectedEnd),
      Bad("[1,", 3, .unexpectedEnd), Bad("[1,]", 3, .expectedValue), Bad("[,1]", 1, .expectedValue),
      Bad("[1,,2]", 3, .expectedValue), Bad("[1}", 2, .expectedCommaOrBracket),
      Bad("[1:2]", 2, .expectedCommaOrBracket), Bad("[]]", 2, .expectedEnd),
      Bad("[] x", 3, .expectedEnd), Bad("{}{}", 2, .expectedEnd), Bad("1 2", 2, .expectedEnd),
      Bad("{\"a\"", 4, .unexpectedEnd), Bad("{\"a\":", 5, .unexpectedEnd),
      Bad("{\"a\":1", 6, .unexpectedEnd), Bad("{\"a\":1,", 7, .unexpectedEnd),
      Bad("{\"a\":1,}", 7, .expectedName), Bad("{,}", 1, .expectedName),
      Bad("{\"a\"}", 4, .expectedColon), Bad("{\"a\" 1}", 5, .expectedColon),
      Bad("{\"a\",1}", 4, .expectedColon), Bad("{\"a\"::1}", 5, .expectedValue),
      Bad("{a:1}", 1, .expectedName), Bad("{1:1}", 1, .expectedName),
      Bad("{'a':1}", 1, .expectedName),
      Bad("{\"a\":1]", 6, .expectedCommaOrBrace),
      Bad("{\"a\":1 \"b\":2}", 7, .expectedCommaOrBrace),
      Bad("{\"a\":}", 5, .expectedValue), Bad("[{\"a\":1,}]", 8, .expectedName),
      Bad("[{\"a\" 1}]", 6, .expectedColon), Bad("[{\"a\":1]", 7, .expectedCommaOrBrace),
      Bad("[[1}]", 3, .expectedCommaOrBracket), Bad("[{]", 2, .expectedName),
      Bad("{\"a\":[1,2}", 9, .expectedCommaOrBracket), Bad("// a", 0, .expectedValue),
      Bad("[1]//", 3, .expectedEnd), Bad("\u{FEFF}1", 0, .expectedValue),
      Bad("[\u{FEFF}]", 1, .expectedValue), Bad("1\u{A0}", 1, .expectedEnd),
      Bad("\u{0C}1", 0, .expectedValue), Bad("1\0", 1, .expectedEnd), Bad("\0", 0, .expectedValue),
    ])
  func badTexts(_ bad: Bad) {
    #expect(scan(bad.bytes).fault == bad.fault)
  }
}

@testable import PipeJSON

/// The grammar of JSON once more, as plainly as possible, to compare the scanner with.
struct NaiveValidator {
  private let text: [UInt8]
  private var at = 0
  private var depth = 0

  static func fault(in text: [UInt8]) -> JSONFault? {
    var validator = NaiveValidator(text: text)
    do throws(JSONFault) {
      try validator.line()
      return nil
    } catch { return error }
  }

  private init(text: [UInt8]) { self.text = text }

  private var next: Character? {
    at < text.count ? Character(Unicode.Scalar(text[at])) : nil
  }

  private func wrong(_ reason: JSONFault.Reason) -> JSONFault {
    next == nil ? JSONFault(text.count, .unexpectedEnd) : JSONFault(at, reason)
  }

  private mutating func line() throws(JSONFault) {
    try value()
    if next != nil { throw wrong(.expectedEnd) }
  }

  private mutating func space() {
    while at < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[at]) { at += 1 }
  }

  /// A value and the white space on both sides.
  private mutating func value() throws(JSONFault) {
    space()
    switch next {
    case "{": try list("}", .expectedCommaOrBrace)
    case "[": try list("]", .expectedCommaOrBracket)
    case "\"": try string()
    case "t": try literal("true")
    case "f": try literal("false")
    case "n": try literal("null")
    case "-", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9": try number()
    default: throw wrong(.expectedValue)
    }
    space()
  }

  private mutating func list(
    _ close: Character, _ missing: JSONFault.Reason
  ) throws(JSONFault) {
    if depth == 512 { throw wrong(.tooDeep) }
    depth += 1
    at += 1
    space()
    if next != close {
      try item(named: close == "}")
      while next == "," {
        at += 1
        space()
        try item(named: close == "}")
      }
    }
    guard next == close else { throw wrong(missing) }
    at += 1
    depth -= 1
  }

  private mutating func item(named: Bool) throws(JSONFault) {
    if named {
      guard next == "\"" else { throw wrong(.expectedName) }
      try string()
      space()
      guard next == ":" else { throw wrong(.expectedColon) }
      at += 1
    }
    try value()
  }

  private mutating func literal(_ word: String) throws(JSONFault) {
    for character in word {
      guard next == character else { throw wrong(.expectedLiteral) }
      at += 1
    }
  }

  private mutating func number() throws(JSONFault) {
    if next == "-" { at += 1 }
    let start = at
    try digits()
    if text[start] == 0x30, at > start + 1 { throw JSONFault(start, .leadingZero) }
    if next == "." {
      at += 1
      try digits()
    }
    if next == "e" || next == "E" {
      at += 1
      if next == "+" || next == "-" { at += 1 }
      try digits()
    }
  }

  private mutating func digits() throws(JSONFault) {
    guard let first = next, ("0"..."9").contains(first) else { throw wrong(.expectedDigit) }
    while let digit = next, ("0"..."9").contains(digit) { at += 1 }
  }
}

extension NaiveValidator {
  private mutating func string() throws(JSONFault) {
    at += 1
    while next != "\"" {
      guard next != nil else { throw wrong(.unexpectedEnd) }
      if next == "\\" {
        try escape()
      } else if text[at] < 0x20 {
        throw wrong(.controlByte(text[at]))
      } else {
        try sequence()
      }
    }
    at += 1
  }

  private mutating func escape() throws(JSONFault) {
    let start = at
    at += 1
    guard let letter = next, "\"\\/bfnrtu".contains(letter) else { throw wrong(.unknownEscape) }
    at += 1
    guard letter == "u" else { return }
    let unit = try hex()
    if (0xDC00...0xDFFF).contains(unit) { throw JSONFault(start, .unpairedSurrogate) }
    guard (0xD800...0xDBFF).contains(unit) else { return }
    for mark: Character in ["\\", "u"] {
      if next == nil { throw wrong(.unexpectedEnd) }
      if next != mark { throw JSONFault(start, .unpairedSurrogate) }
      at += 1
    }
    guard try (0xDC00...0xDFFF).contains(hex()) else { throw JSONFault(start, .unpairedSurrogate) }
  }

  private mutating func hex() throws(JSONFault) -> Int {
    var unit = 0
    for _ in 0..<4 {
      guard let digit = next?.hexDigitValue else { throw wrong(.expectedHexDigit) }
      unit = unit * 16 + digit
      at += 1
    }
    return unit
  }

  /// One code point, if decoding and encoding give it back unchanged.
  private mutating func sequence() throws(JSONFault) {
    let lead = text[at]
    let length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    let part = Array(text[at..<min(at + length, text.count)])
    let decoded = String(decoding: part, as: UTF8.self)
    guard Array(decoded.utf8) == part, decoded.unicodeScalars.count == 1 else {
      throw wrong(.invalidUTF8)
    }
    at += length
  }
}

extension JSONFault {
  init(_ byte: Int, _ reason: Reason) {
    self.init(byte: byte, reason: reason)
  }
}

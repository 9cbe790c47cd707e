import Testing

@testable import PipeJSON

@Suite struct FieldTests {
  private func found(_ dotted: String, _ text: String) throws -> Result<String?, JSONFault> {
    let path = try #require(FieldPath(dotted))
    return lend(Array(text.utf8)) { object in
      Result { () throws(JSONFault) in
        guard let span = try find(path, in: object) else { return nil }
        return String(decoding: object[span.range], as: UTF8.self)
      }
    }
  }

  @Test("a path goes down by member names")
  func paths() throws {
    let text = #" {"a":{"b":{"c":1},"d":[{"e":2}]},"é":"x","f\u002Eg":3,"a.b":4} "#
    let cases = [
      ("a", #"{"b":{"c":1},"d":[{"e":2}]}"#), ("a.b", #"{"c":1}"#), ("a.b.c", "1"), ("é", "\"x\""),
      ("a.d", #"[{"e":2}]"#), ("a.d.e", nil), ("a.b.c.d", nil), ("b", nil), ("f", nil),
    ]
    for (path, value) in cases {
      #expect(try found(path, text) == .success(value))
    }
    #expect(try found("i\u{64}", #"{"\u0069d":5}"#) == .success("5"))
    #expect(try found("a", "[1]") == .success(nil))
  }

  @Test("a dot with a backslash before it belongs to the name")
  func escapedDots() throws {
    let text = #"{"a.b":{"c.d":1},"a\\":{"b":2},"a\\.b":3,"a\\x":4,".":5,"a":{"b":6}}"#
    let cases = [
      (#"a\.b.c\.d"#, "1"), (#"a\\.b"#, "2"), (#"a\\\.b"#, "3"), (#"a\x"#, "4"), (#"a\\x"#, "4"),
      (#"\."#, "5"), ("a.b", "6"), (#"a\.b\.c"#, nil),
    ]
    for (path, value) in cases {
      #expect(try found(path, text) == .success(value), "\(path)")
    }
    #expect(FieldPath("a.b")?.asOneName == #"a\.b"#)
    #expect(FieldPath(#"a\.b.c\\"#)?.asOneName == #"a\.b\.c\\"#)
    #expect(FieldPath(#"a\.b"#)?.asOneName == nil)
  }

  @Test("a path with an empty name is invalid", arguments: ["", ".", "a.", ".a", "a..b"])
  func emptyNames(_ dotted: String) {
    #expect(FieldPath(dotted) == nil)
  }

  @Test("a name on the path that comes twice is a fault, and other names may repeat")
  func duplicates() throws {
    let duplicate = JSONFault.Reason.duplicateMember("a")
    #expect(try found("a", #"{"a":1,"a":2}"#) == .failure(JSONFault(7, duplicate)))
    #expect(try found("a.b", #"{"a":{"b":1}, "a":2}"#) == .failure(JSONFault(14, duplicate)))
    #expect(try found("x.a", #"{"x":{"a":1,"\u0061":2}}"#) == .failure(JSONFault(12, duplicate)))
    #expect(try found("b", #"{"a":1,"a":2,"b":3}"#) == .success("3"))
    #expect(try found("a.b", #"{"a":{"b":1,"c":2,"c":3}}"#) == .success("1"))
  }

  @Test(
    "a value has the type of its kind",
    arguments: [
      ("\"a\"", [.string, .any]), ("1", [.number, .integer, .any]),
      ("-0", [.number, .integer, .any]),
      ("1.0", [.number, .any]), ("1e3", [.number, .any]), ("true", [.boolean, .any]),
      ("{}", [.object, .any]), ("[1]", [.array, .any]), ("null", [.any]),
      ("\"2024-07-29T00:00:00Z\"", [.string, .dateTime, .any]),
      ("\"2024\\u002d07-29T00:00:00Z\"", [.string, .dateTime, .any]),
      ("\"2024-07-29\"", [.string, .any]), ("\"\"", [.string, .any]),
    ] as [(String, [FieldType])])
  func types(_ text: String, _ types: [FieldType]) {
    let span = scan(" \(text) ").value
    lend(Array(" \(text) ".utf8)) { buffer in
      let matching = FieldType.allCases.filter { type in
        span.map { matches(type, $0, in: buffer) } ?? false
      }
      #expect(Set(matching) == Set(types))
    }
  }

  @Test("types are named as on the command line")
  func names() {
    #expect(FieldType(rawValue: "date-time") == .dateTime)
    #expect(FieldType(rawValue: "dateTime") == nil)
  }
}

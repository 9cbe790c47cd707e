import TestSupport
import Testing

@Suite("ingest --require")
struct RequireTests {
  static let values: [(type: String, good: [String], bad: [String])] = [
    ("string", [#""""#, #""a""#], ["1", "null", "[]"]),
    ("number", ["1", "-1.5e3"], [#""1""#, "true"]),
    ("integer", ["1", "-12345678901234567890"], ["1.0", "1e2", #""1""#]),
    ("boolean", ["true", "false"], ["null", "0", #""true""#]),
    ("object", ["{}", #"{"a":1}"#], ["[]", "null"]),
    ("array", ["[]", "[1]"], ["{}", "1"]),
    (
      "date-time",
      [#""2026-11-21T05:00:00Z""#, #""2024-02-29t23:59:60.5+01:00""#],
      [#""2026-11-21""#, #""2025-02-29T00:00:00Z""#, "5"]
    ),
    ("any", ["null", "1", "[]"], []),
  ]

  @Test("--require checks each type", arguments: values)
  func types(type: String, good: [String], bad: [String]) throws {
    let input = (good + bad).map { #"{"f":\#($0)}"# }.joined(separator: "\n")
    var errors = bad.indices.map {
      "pipe ingest: stdin:\(good.count + $0 + 1): byte 6: f is not of type \(type)\n"
    }
    if !bad.isEmpty {
      errors.append("pipe ingest: \(bad.count) of \(good.count + bad.count) lines rejected\n")
    }
    try Scratch().pipe("ingest", "--require", "f:" + type, input: input).expect(
      entries: good.map { #"MEDIUM data:{"f":\#($0)}"# }, errors: errors.joined(),
      status: bad.isEmpty ? 0 : 65)
  }

  @Test("--require reaches into objects with dots")
  func dots() throws {
    let input = """
      {"a":{"b":{"c":1}}}
      {"a":{"b":{"c":"1"}}}
      {"a":{"b":2}}
      {"a.b.c":1}
      7
      {"ids":[1]}
      """
    try Scratch().pipe("ingest", "--require", "a.b.c:integer", input: input).expect(
      entries: [#"MEDIUM data:{"a":{"b":{"c":1}}}"#, "MEDIUM ids:[1]"],
      errors: """
        pipe ingest: stdin:2: byte 16: a.b.c is not of type integer
        pipe ingest: stdin:3: a.b.c is missing
        pipe ingest: stdin:4: a.b.c is missing
        pipe ingest: stdin:5: not an object, so it has no a.b.c
        pipe ingest: 4 of 6 lines rejected

        """, status: 65)
  }

  @Test("--require finds names with an escaped dot, and records that have ids beside other members")
  func escapedDots() throws {
    let input = """
      {"a.b":{"c":1}}
      {"a":{"b":{"c":1}}}
      {"ids":[1],"a.b":{"c":2}}
      {"ids":[1],"x":0}
      """
    try Scratch().pipe("ingest", "--require", #"a\.b.c:integer"#, input: input).expect(
      entries: [#"MEDIUM data:{"a.b":{"c":1}}"#, #"MEDIUM data:{"ids":[1],"a.b":{"c":2}}"#],
      errors: #"""
        pipe ingest: stdin:2: a\.b.c is missing
        pipe ingest: stdin:4: a\.b.c is missing
        pipe ingest: 2 of 4 lines rejected

        """#, status: 65)
  }

  @Test("--require may be repeated, and each named field is required")
  func several() throws {
    let input = """
      {"s":"a","t":"2026-11-21T05:00:00Z","data":{}}
      {"s":"a","data":{}}
      """
    let options = ["--require", "s:string", "--require", "t:date-time", "--require", "data:object"]
    let scratch = try Scratch()
    try scratch.run([Binary.path, "ingest"] + options, input: Array(input.utf8)).expect(
      errors: """
        pipe ingest: stdin:2: t is missing
        pipe ingest: 1 of 2 lines rejected

        """, status: 65)
  }

  @Test(
    "--require refuses an invalid field or type",
    arguments: ["a", "a:text", ":string", "a..b:any", ""])
  func refuses(argument: String) throws {
    try Scratch().pipe("ingest", "--require", argument).expect("", errors: nil, status: 64)
  }
}

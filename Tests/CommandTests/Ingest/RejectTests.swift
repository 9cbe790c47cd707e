import Foundation
import TestSupport
import Testing

/// A line, and the complaint about it on stderr after `pipe ingest: stdin:1: `.
struct BadLine: CustomTestStringConvertible, Sendable {
  let line: [UInt8]
  let complaint: String
  var testDescription: String { complaint }

  init(_ line: String, _ complaint: String) {
    self.init(bytes: Array(line.utf8), complaint)
  }

  init(bytes: [UInt8], _ complaint: String) {
    line = bytes
    self.complaint = complaint
  }

  static let range = "id out of range 1 to 10000000000000000007"

  static let all = syntax + text + requests

  static let syntax = [
    BadLine(#"{"a":"#, "byte 6: unexpected end"),
    BadLine(#"{"a":1"#, "byte 7: unexpected end"),
    BadLine("\"a", "byte 3: unexpected end"),
    BadLine("{a:1}", "byte 2: expected a member name in quotes"),
    BadLine(#"{"a":1,}"#, "byte 8: expected a member name in quotes"),
    BadLine(#"{"a" 1}"#, "byte 6: expected ':'"),
    BadLine(#"{"a":1 "b":2}"#, "byte 8: expected ',' or '}'"),
    BadLine("[1 2]", "byte 4: expected ',' or ']'"),
    BadLine("[1,]", "byte 4: expected a value"),
    BadLine("01", "byte 1: leading zero in a number"),
    BadLine("1.", "byte 3: unexpected end"),
    BadLine("-a", "byte 2: expected a digit"),
    BadLine("+1", "byte 1: expected a value"),
    BadLine("NaN", "byte 1: expected a value"),
    BadLine("nul ", "byte 4: expected true, false or null"),
    BadLine("1 2", "byte 3: expected nothing after the value"),
    BadLine("{} // no", "byte 4: expected nothing after the value"),
    BadLine(String(repeating: "[", count: 100_000), "byte 513: nesting deeper than 512"),
    BadLine(String(repeating: "{\"a\":", count: 100_000), "byte 2561: nesting deeper than 512"),
  ]

  static let text = [
    BadLine(bytes: [0x22, 0x61, 0xff, 0x22], "byte 3: invalid UTF-8"),
    BadLine(bytes: [0x22, 0xc0, 0x80, 0x22], "byte 2: invalid UTF-8"),
    BadLine(bytes: [0x22, 0xed, 0xa0, 0x80, 0x22], "byte 2: invalid UTF-8"),
    BadLine(bytes: [0x22, 0x61, 0x00, 0x22], "byte 3: control byte 0x00 in a string"),
    BadLine(bytes: [0x31, 0x00], "byte 2: expected nothing after the value"),
    BadLine("\"a\tb\"", "byte 3: control byte 0x09 in a string"),
    BadLine(#""\ud800""#, "byte 2: unpaired surrogate escape"),
    BadLine(#""a\udc00\ud800""#, "byte 3: unpaired surrogate escape"),
    BadLine(#""\x""#, "byte 3: unknown escape in a string"),
    BadLine(#""\u12G4""#, "byte 6: expected four hex digits after \\u"),
  ]

  static let requests = [
    BadLine(#"{"ids":[]}"#, "byte 9: ids list cannot be empty"),
    BadLine(#"{"ids":[10000000000000000008]}"#, "byte 9: " + range),
    BadLine(#"{"ids":[1,99999999999999999999999]}"#, "byte 11: " + range),
    BadLine(#"{"ids":[0]}"#, "byte 9: " + range),
    BadLine(#"{"ids":[-1]}"#, "byte 9: id must be digits only"),
    BadLine(#"{"ids":[1, 1.0]}"#, "byte 12: id must be digits only"),
    BadLine(#"{"ids":[1e3]}"#, "byte 9: id must be digits only"),
    BadLine(#"{"ids":["1"]}"#, "byte 9: id must be digits only"),
    BadLine(#"{"ids":[1,[2]]}"#, "byte 11: id must be digits only"),
    BadLine(#"{"ids":5}"#, "byte 8: ids is not a list"),
    BadLine(#"{"ids":null}"#, "byte 8: ids is not a list"),
    BadLine(
      #"{"ids":[1],"priority":"URGENT"}"#, "byte 23: priority must be HIGH, MEDIUM or LOW"),
    BadLine(#"{"ids":[1],"priority":"high"}"#, "byte 23: priority must be HIGH, MEDIUM or LOW"),
    BadLine(#"{"ids":[1],"priority":null}"#, "byte 23: priority must be HIGH, MEDIUM or LOW"),
    BadLine(#"{"priority":"HIGH"}"#, "id request has no ids"),
    BadLine(#"{"\u0070riority":"HIGH"}"#, "id request has no ids"),
    BadLine(#"{"ids":"x"}"#, "byte 8: ids is not a list"),
    BadLine(#"{"priority":"LOW","\u0069ds":[]}"#, "byte 31: ids list cannot be empty"),
    BadLine(#"{"ids":[1],"a":1,"ids":[2]}"#, #"byte 18: duplicate member "ids""#),
    BadLine(#"{"ids":[1],"ids":[2]}"#, #"byte 12: duplicate member "ids""#),
    BadLine(#"{"ids":[1],"\u0069ds":[2]}"#, #"byte 12: duplicate member "ids""#),
    BadLine(#"{"priority":"LOW","a":1,"priority":1}"#, #"byte 25: duplicate member "priority""#),
    BadLine(#"{"data":1,"data":2}"#, #"byte 11: duplicate member "data""#),
  ]
}

@Suite("Rejected lines")
struct RejectTests {
  @Test(
    "ingest rejects invalid JSON and invalid requests, and names the byte", arguments: BadLine.all)
  func rejects(bad: BadLine) throws {
    let scratch = try Scratch()
    let run = try scratch.run([Binary.path, "ingest"], input: bad.line + [0x0a])
    run.expect("", errors: nil, status: 65)
    // Some of the lines look like text, and one more line names --text.
    let errors = run.errors.split(separator: "\n").filter { !$0.contains(": use --text") }
    #expect(
      errors == ["pipe ingest: stdin:1: \(bad.complaint)", "pipe ingest: 1 of 1 lines rejected"],
      run.story)
  }

  @Test("enqueue --raw rejects the same lines and stores the rest")
  func raw() throws {
    let scratch = try Scratch()
    let bad = BadLine.all.filter { $0.line.count < 1000 }
    let input = bad.flatMap { $0.line + Array("\n{\"good\":1}\n".utf8) }
    let run = try scratch.run([Binary.path, "enqueue", "--raw"], input: input)
    let complaints = bad.prefix(10).enumerated().map {
      "pipe enqueue: stdin:\(2 * $0 + 1): \($1.complaint)\n"
    }
    let total =
      "pipe enqueue: \(bad.count) of \(2 * bad.count) lines rejected; the first 10 are shown\n"
    run.expect(errors: complaints.joined() + total, status: 65)
    #expect(run.receipts.count == bad.count, run.story)
    try scratch.sh("pipe consume | sort | uniq -c | tr -s ' '").expect(
      " \(bad.count) {\"good\":1}\n")
  }

  @Test("ingest rejects a line cut short at the end of the input and keeps those before")
  func truncated() throws {
    try Scratch().pipe("ingest", input: "{\"a\":1}\n{\"a\":").expect(
      entries: [#"MEDIUM data:{"a":1}"#],
      errors: """
        pipe ingest: stdin:2: byte 6: unexpected end
        pipe ingest: 1 of 2 lines rejected

        """, status: 65)
  }

  @Test("ingest rejects a line longer than --max-record-bytes and continues")
  func longLine() throws {
    let scratch = try Scratch()
    let input = "\"12345678\"\n\"123456789\"\n1\n"
    try scratch.pipe("ingest", "--max-record-bytes", "10", "--reject", "bad", input: input).expect(
      entries: [#"MEDIUM data:"12345678""#, "MEDIUM data:1"],
      errors: """
        pipe ingest: stdin:2: byte 11: the record is longer than 10 bytes (--max-record-bytes)
        pipe ingest: 1 of 3 lines rejected

        """)
    #expect(try scratch.read("bad") == Array("\"123456789\"\n".utf8))
  }

  @Test("ingest --reject appends bad lines unchanged to a file and exits with 0")
  func rejectFile() throws {
    let scratch = try Scratch()
    let bad: [[UInt8]] = [
      [0xef, 0xbb, 0xbf, 0x78], [0x22, 0xff, 0x00], Array(" {\"ids\":[]}\r".utf8),
    ]
    try scratch.write("before\n", to: "kept")
    let input = bad.joined(separator: [0x0a]) + [0x0a]
    for _ in 1...2 {
      try scratch.run([Binary.path, "ingest", "--reject", "kept"], input: input)
        .expect("", errors: nil)
    }
    #expect(try scratch.read("kept") == Array("before\n".utf8) + input + input)
  }

  @Test("ingest stops after --max-errors rejected lines")
  func maxErrors() throws {
    try Scratch().pipe("ingest", "--max-errors", "2", input: "1\nx\n2\ny\n3\nz\n").expect(
      entries: ["MEDIUM data:1", "MEDIUM data:2"],
      errors: """
        pipe ingest: stdin:2: byte 1: expected a value
        pipe ingest: stdin:4: byte 1: expected a value
        pipe ingest: 2 of 4 lines rejected; stopped (--max-errors)

        """, status: 65)
  }

  @Test("a file name that could write to the terminal is shown harmlessly")
  func hostileName() throws {
    let scratch = try Scratch()
    let name = "a\u{1b}]0;title\u{7}"
    try scratch.write("x\n", to: name)
    let run = try scratch.pipe("ingest", name)
    run.expect("", errors: nil, status: 65)
    #expect(!run.errors.contains("\u{1b}"), run.story)
  }

  @Test("rejected lines are counted in the queue, if there is one")
  func counts() throws {
    let scratch = try Scratch()
    try scratch.pipe("init").expect("")
    try scratch.pipe("ingest", input: "x\ny\n1\n").expect(errors: nil, status: 65)
    try scratch.pipe("enqueue", "--raw", input: "x\n").expect("", errors: nil, status: 65)
    let count = "cat queue/owners/* | awk '/^failed_validations_total/ { n += $2 } END { print n }'"
    try scratch.sh(count).expect("3\n")
  }
}

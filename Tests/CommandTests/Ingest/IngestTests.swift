import Foundation
import TestSupport
import Testing

private let entry = "MEDIUM data:"

@Suite("ingest")
struct IngestTests {
  struct Lines: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let input: String
    let data: [String]

    static let all = [
      Lines(
        "any value", "null\ntrue\n\"\"\n-0\n1E+400\n[]\n{}\n",
        ["null", "true", "\"\"", "-0", "1E+400", "[]", "{}"]),
      Lines("CRLF", "{\"a\":1}\r\n\"b\"\r\n", ["{\"a\":1}", "\"b\""]),
      Lines("blank lines", "\n  \n\t\r\n7\n\n", ["7"]),
      Lines("no newline at the end", "1\n2", ["1", "2"]),
      Lines(
        "spaces and repeated names", " {\"a\" : 1.0,\"a\":1.00}\t\n", ["{\"a\" : 1.0,\"a\":1.00}"]),
      Lines(
        "escapes", "\"\\ud83d\\ude00 \u{e9}\u{1f600}\"\n", ["\"\\ud83d\\ude00 \u{e9}\u{1f600}\""]),
      Lines("nothing", "", []),
    ]

    init(_ name: String, _ input: String, _ data: [String]) {
      testDescription = name
      self.input = input
      self.data = data
    }
  }

  @Test("ingest accepts lines as people write them", arguments: Lines.all)
  func records(lines: Lines) throws {
    let expected = lines.data.map { entry + $0 }
    try Scratch().pipe("ingest", input: lines.input).expect(entries: expected)
  }

  @Test("ingest accepts a byte-order mark at the start of each file")
  func byteOrderMark() throws {
    let scratch = try Scratch()
    let mark: [UInt8] = [0xef, 0xbb, 0xbf]
    try scratch.write(mark + Array("1\n".utf8), to: "one")
    try scratch.write(mark + Array("\n{\"a\":}\n".utf8), to: "two")
    try scratch.pipe("ingest", "one", "two").expect(
      entries: [entry + "1"],
      errors: """
        pipe ingest: two:2: byte 6: expected a value
        pipe ingest: 1 of 2 lines rejected

        """, status: 65)
  }

  @Test(
    "ingest distinguishes id requests from records that look like them",
    arguments: [
      (#"{"ids":[10000000000000000007]}"#, "MEDIUM ids:[10000000000000000007]"),
      (#"{"ids": [1, 2],"priority":"HIGH" }"#, "HIGH ids:[1, 2]"),
      (#"{"priority":"LOW","ids":[3,3]}"#, "LOW ids:[3,3]"),
      (#"{"\u0069ds":[1],"priority":"\u0048IGH"}"#, "HIGH ids:[1]"),
      (#"{"ids":[1],"priority":"LOW","x":[]}"#, #"LOW data:{"ids":[1],"priority":"LOW","x":[]}"#),
      (#"{"user":"ann","ids":[1, 2]}"#, #"MEDIUM data:{"user":"ann","ids":[1, 2]}"#),
      (#"{"\u0069ds":[],"\u0069d":0}"#, #"MEDIUM data:{"\u0069ds":[],"\u0069d":0}"#),
      (#"{"ids":5,"priority":"high","":1}"#, #"MEDIUM data:{"ids":5,"priority":"high","":1}"#),
      (#"{"ids":[1],"a":1,"a":2}"#, #"MEDIUM data:{"ids":[1],"a":1,"a":2}"#),
      (#"{"ids":[],"data":null}"#, #"MEDIUM data:{"ids":[],"data":null}"#),
      (#"{"IDS":[]}"#, #"MEDIUM data:{"IDS":[]}"#),
      (#"[{"ids":[]}]"#, #"MEDIUM data:[{"ids":[]}]"#),
    ])
  func idRequests(line: String, expected: String) throws {
    try Scratch().pipe("ingest", input: line).expect(entries: [expected])
  }

  @Test("ingest takes the priority of a record if it is HIGH, MEDIUM or LOW")
  func priorities() throws {
    let lines = [
      #"{"a":1,"priority":"HIGH"}"#, #"{"a":1,"priority":"high"}"#, #"{"a":1,"priority":3}"#,
      #"{"data":1,"priority":"LOW"}"#, #"{"a":{"priority":"HIGH"}}"#, #"{"ids":[1]}"#, "5",
    ]
    let input = lines.joined(separator: "\n")
    try Scratch().pipe("ingest", "--priority", "low", input: input).expect(entries: [
      "HIGH data:" + lines[0], "LOW data:" + lines[1], "LOW data:" + lines[2],
      "LOW data:" + lines[3], "LOW data:" + lines[4], "MEDIUM ids:[1]", "LOW data:5",
    ])
  }

  @Test("ingest --records accepts any value as a record")
  func recordsOnly() throws {
    let lines = [#"{"ids":[]}"#, #"{"priority":"HIGH"}"#, #"{"ids":1,"ids":2}"#]
    let input = lines.joined(separator: "\n")
    try Scratch().pipe("ingest", "--records", input: input).expect(
      entries: lines.map { entry + $0 })
  }

  @Test("ingest accepts values nested 512 deep, and not 513")
  func nesting() throws {
    let deep = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
    try Scratch().pipe("ingest", input: "\(deep)\n[\(deep)]\n").expect(
      entries: [entry + deep],
      errors: """
        pipe ingest: stdin:2: byte 513: nesting deeper than 512
        pipe ingest: 1 of 2 lines rejected

        """, status: 65)
  }

  @Test("ingest reads several files, and stdin among them")
  func files() throws {
    let scratch = try Scratch()
    try scratch.write("1\nx\n", to: "a")
    try scratch.write("\n\nx\n3", to: "b c")
    try scratch.pipe("ingest", "a", "-", "b c", input: "2\nx").expect(
      entries: [entry + "1", entry + "2", entry + "3"],
      errors: """
        pipe ingest: a:2: byte 1: expected a value
        pipe ingest: stdin:2: byte 1: expected a value
        pipe ingest: b c:3: byte 1: expected a value
        pipe ingest: 3 of 6 lines rejected

        """, status: 65)
  }

  @Test("ingest prints nothing if one of its files is missing")
  func missingFile() throws {
    let scratch = try Scratch()
    try scratch.write("1\n", to: "a")
    try scratch.pipe("ingest", "a", "none").expect(
      "", errors: "pipe ingest: none: cannot open: No such file or directory\n", status: 66)
  }

  @Test("ingest prints the entry of a line typed by hand at once")
  func typed() throws {
    let child = try Scratch().start("ingest")
    child.feed("{\"typed\":1}\n")
    #expect(child.line()?.hasSuffix(#""data":{"typed":1}}"#) == true)
    child.feed("2")
    child.finish().expect()
  }

  @Test("ingest creates no queue")
  func makesNoQueue() throws {
    let scratch = try Scratch()
    try scratch.pipe("ingest", input: "x\n1\n").expect(errors: nil, status: 65)
    #expect(try scratch.names(in: ".") == [])
  }
}

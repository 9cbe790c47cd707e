import Foundation
import TestSupport
import Testing

private let ulid = "01M7YFR55BHYP5BSPG0DPTADCJ"
private let advice = "not an entry line: run it through pipe ingest, or use --raw"

@Suite("Entry lines")
struct EntryLineTests {
  static let noEntries = [
    BadLine(#"{"a":1}"#, advice),
    BadLine("5", advice),
    BadLine(#"{"a":"#, "byte 6: unexpected end"),
    BadLine(#"{"id":5,"data":1}"#, "byte 7: id is not a ULID; " + advice),
    BadLine(entryLine(ulid.lowercased()), "byte 7: id is not a ULID; " + advice),
    BadLine(entryLine(String(ulid.dropLast())), "byte 7: id is not a ULID; " + advice),
    BadLine(entryLine("8" + ulid.dropFirst()), "byte 7: id is not a ULID; " + advice),
    BadLine(entryLine("../../../../etc/passwd/xxx"), "byte 7: id is not a ULID; " + advice),
  ]

  static let wrongMembers = [
    (#""x":1"#, "needs either data or ids; " + advice),
    (#""data":1,"ids":[1]"#, "needs either data or ids; " + advice),
    (#""ids":[]"#, "byte 43: ids list cannot be empty"),
    (#""ids":{}"#, "byte 42: ids is not a list"),
    (#""data":1,"data":2"#, #"byte 45: duplicate member "data""#),
    (#""data":1,"priority":"high""#, "byte 56: priority must be HIGH, MEDIUM or LOW"),
    (#""data":1,"time":"yesterday""#, "byte 52: time is not an RFC 3339 time since 1970"),
    (
      #""data":1,"time":"1969-12-31T23:59:59Z""#, "byte 52: time is not an RFC 3339 time since 1970"
    ),
    (#""data":1,"key":7"#, "byte 51: key is not a string"),
    (
      #""data":1,"not_before":"soon""#,
      "byte 58: not_before is not an RFC 3339 time since 1970"
    ),
  ].map { BadLine(entryLine(ulid, $0), $1) }

  @Test(
    "enqueue rejects invalid entry lines and stores the valid ones",
    arguments: noEntries + wrongMembers)
  func rejected(bad: BadLine) throws {
    let scratch = try Scratch()
    let line = String(decoding: bad.line, as: UTF8.self)
    let good = entryLine("01M7YFR55BHYP5BSPG0DPTADCK")
    try scratch.pipe("enqueue", input: "\(line)\n\(good)\n").expect(
      #"{"ingestion_id":"01M7YFR55BHYP5BSPG0DPTADCK"}"# + "\n",
      errors: """
        pipe enqueue: stdin:1: \(bad.complaint)
        pipe enqueue: 1 of 2 lines rejected

        """, status: 65)
    try scratch.pipe("consume").expect("1\n")
  }

  @Test("any program may write entry lines: id and data suffice, and unknown members are ignored")
  func handmade() throws {
    let scratch = try Scratch()
    let rest =
      #""data":{"n": 1},"priority":"LOW","time":"2026-11-21T06:00:00.5+01:00","state":"ready","x":[]"#
    let past = #""not_before":"2001-01-01T00:00:00Z","ids":[ 4, 5 ],"key":"a b\"""#
    let input =
      entryLine("01M7YFR55BHYP5BSPG0DPTADCJ", rest) + "\n"
      + entryLine("00000000000000000000000001", past)
    try scratch.pipe("enqueue", "--quiet", input: input).expect("")
    try scratch.sh("pipe list | cut -d , -f 2-").expect(
      """
      "priority":"MEDIUM","time":"\(try time(scratch, "MEDIUM"))","state":"ready","ids":[4,5]}
      "priority":"LOW","time":"2026-11-21T05:00:00.500000Z","state":"ready","data":{"n": 1}}

      """)
    try scratch.sh("cut -d ' ' -f 7 queue/segments/*/000/000001").expect(
      "-\n" + #"{"key":"a\u0020b\""}"# + "\n")
  }

  // Without a time, an entry has the time of its acceptance.
  private func time(_ scratch: Scratch, _ lane: String) throws -> String {
    let line = try scratch.sh("pipe list | grep \(lane) | cut -d '\"' -f 12")
    return line.lines.first ?? "none"
  }

  @Test("entry lines keep the time at which ingest read them")
  func times() throws {
    let scratch = try Scratch()
    let line = try scratch.pipe("ingest", input: "1\n")
    try scratch.pipe("enqueue", "--quiet", input: line.output).expect("")
    let listed = try scratch.sh("pipe list | sed 's/\"state\":\"ready\",//'")
    listed.expect(line.output)
    let seen = try line.objects()[0]["time"] as? String
    let id = try #require(try line.objects()[0]["id"] as? String)
    #expect(
      try scratch.pipe("status", id).objects()[0]["created_at"] as? String == seen, line.story)
  }
}

@Suite("Entry lines taken for records")
struct WrappedEntryTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private static let start = "a line is already an entry line, as pipe ingest writes it;"

  @Test(
    "ingest and enqueue --raw store entry lines as data, and one line says so",
    arguments: [
      "pipe ingest | pipe enqueue --raw --quiet",
      "pipe ingest | jq -cS . | pipe enqueue --raw --quiet --wait 0s",
      "(seq 100; pipe ingest) | pipe enqueue --raw --quiet",
      "pipe ingest | pipe ingest | pipe enqueue --quiet",
    ])
  func notice(line: String) throws {
    let run = try scratch.sh(line, input: "{\"a\":1}\n\"b\"\n7\n")
    run.expect("", errors: nil)
    #expect(run.errors.split(separator: "\n").count == 1, run.story)
    #expect(run.errors.contains(WrappedEntryTests.start), run.story)
    try scratch.sh("pipe consume | grep -c '\"priority\":'").expect("3\n")
  }

  @Test("records that only resemble entry lines are stored without a warning")
  func others() throws {
    let lines = [
      #"{"id":"01M7YFR55BHYP5BSPG0DPTADCJ","data":1}"#,
      #"{"id":"01M7YFR55BHYP5BSPG0DPTADCJ","priority":"HIGH","name":"x","size":1}"#,
      #"{"id":"7","priority":"HIGH","time":"now","data":1}"#,
    ]
    let input = lines.joined(separator: "\n") + "\n"
    try scratch.pipe("enqueue", "--raw", "--quiet", input: input).expect("")
    try scratch.sh("pipe ingest --records > entries", input: input).expect("")
  }
}

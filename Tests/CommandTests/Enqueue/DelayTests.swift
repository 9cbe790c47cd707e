import Foundation
import TestSupport
import Testing

@Suite("Delays")
struct DelayTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private let future = "2999-01-01T00:00:00Z"
  private let futureNumber = 32_472_144_000_000_000

  /// TIME and OPTIONS of all lines, lane by lane.
  private func stored() throws -> [(time: Int, options: String)] {
    try scratch.sh("cut -d ' ' -f 2,7 queue/segments/*/000/000001").expect().lines.map {
      let columns = $0.split(separator: " ")
      return (try #require(Int(columns[0])), String(columns[1]))
    }
  }

  private func options(_ arguments: String..., input: String) throws -> [String] {
    let queue = "queue.\(UUID().uuidString)"
    try scratch.run(
      [Binary.path, "enqueue", "--quiet", "-q", queue] + arguments, input: Array(input.utf8)
    ).expect("")
    return try scratch.sh("cut -d ' ' -f 7 \(queue)/segments/*/000/000001").expect().lines
  }

  private func line(_ rest: String) -> String { entryLine(id(at: 1_795_000_000_000), rest) + "\n" }

  @Test("--delay stores one instant for all lines of a commit, and the interval")
  func delay() throws {
    try scratch.pipe(
      "enqueue", "--raw", "--quiet", "--delay", "10m", input: "1\n{\"ids\":[2]}\n\"x\"\n"
    ).expect("")
    let lines = try stored()
    #expect(Set(lines.map(\.options)).count == 1 && lines.count == 3)
    let form = #/\{"not_before":(\d+),"delay":600000000\}/#
    let match = try #require(lines[0].options.wholeMatch(of: form))
    let instant = try #require(Int(match.1))
    let late = lines[0].time + 600_000_000 - instant
    #expect((0..<600_000_000).contains(late), "\(late)")
  }

  @Test("--at stores the instant alone")
  func at() throws {
    #expect(
      try options("--raw", "--at", future, input: "1\n") == [#"{"not_before":\#(futureNumber)}"#])
    #expect(
      try options("--raw", "--at", "2999-01-01T01:00:00.000007+01:00", input: "1\n")
        == [#"{"not_before":\#(futureNumber + 7)}"#])
  }

  @Test("the not_before of an entry line is stored beside its key, and an option overrides it")
  func entryLines() throws {
    let own = line(#""data":1,"key":"a b","not_before":"\#(future)""#)
    #expect(
      try options(input: own) == [#"{"key":"a\u0020b","not_before":\#(futureNumber)}"#])
    #expect(
      try options("--at", "2998-01-01T00:00:00Z", input: own)
        == [#"{"key":"a\u0020b","not_before":32440608000000000}"#])
    let chosen = try options("--delay", "1s", input: own)
    #expect(
      chosen[0].wholeMatch(of: #/\{"key":"a\\u0020b","not_before":\d{16},"delay":1000000\}/#) != nil
    )
    #expect(try options("--delay", "0s", input: own) == [#"{"key":"a\u0020b"}"#])
  }

  @Test("a time that is not in the future is not stored")
  func past() throws {
    #expect(try options("--raw", "--delay", "0ms", input: "1\n") == ["-"])
    #expect(try options("--raw", "--at", "2001-01-01T00:00:00Z", input: "1\n") == ["-"])
    #expect(
      try options(input: line(#""ids":[1],"not_before":"2001-01-01T00:00:00Z""#)) == ["-"])
  }

  @Test(
    "an invalid --at is a usage error",
    arguments: [
      "tomorrow", "", "2026-11-21", "2026-11-21T05:00:00", "2026-11-21 05:00:00Z",
      "2026-02-30T05:00:00Z", "2026-11-21T05:00:00Zx", "1969-12-31T23:59:59Z", "1763700000",
    ])
  func mistakes(time: String) throws {
    try scratch.pipe("enqueue", "--raw", "--at", time, input: "1\n").expect(
      "",
      errors: """
        pipe enqueue: The value '\(time)' is invalid for '--at <time>' (an RFC 3339 time since 1970, \
        such as 2026-11-21T05:00:00Z or $(date -d 23:00 -Is))

        """, status: 64)
  }

  @Test("--delay and --at exclude each other")
  func both() throws {
    try scratch.pipe("enqueue", "--delay", "5s", "--at", future).expect(
      "",
      errors: "pipe enqueue: --delay and --at exclude each other (see pipe enqueue --help)\n",
      status: 64)
    try scratch.pipe("enqueue", "--delay", "soon").expect("", errors: nil, status: 64)
    #expect(!FileManager.default.fileExists(atPath: scratch.path("queue")))
  }

  @Test("an equal entry with another delay is still a duplicate")
  func duplicates() throws {
    try scratch.pipe("enqueue", "--raw", "--quiet", "--delay", "1h", input: "1\n").expect("")
    let run = try scratch.pipe(
      "enqueue", "--raw", "--dedup", "1h", "--delay", "2h", input: "1\n")
    #expect(run.expect().output.hasSuffix("\"duplicate\":true}\n"), run.story)
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Common rules of the sinks", .needs("python3", "sqlite3", "jq"))
struct SinkStreamTests {
  private let scratch: Scratch
  private let script = Scratch.example("sinks/sqlite")

  init() throws { scratch = try Scratch() }

  private func count() throws -> String {
    try scratch.sh("sqlite3 logs.db 'SELECT count(*) FROM logs'").expect().output
  }

  @Test(
    "without --stream no process would read the results: the sink stops and loses nothing",
    arguments: ["", "--envelope", "--size 10 --envelope"])
  func mode(options: String) throws {
    try scratch.store("1")
    let run = try scratch.sh("pipe consume \(options) -- '\(script)' logs.db", sinkEnvironment)
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.hasPrefix("sqlite: run it with --stream\n"), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }

  @Test("a sink also works by hand, between batch and ack")
  func byHand() throws {
    try scratch.store("1", "2")
    let line = "pipe batch --size 10 | '\(script)' logs.db | pipe ack"
    try scratch.sh(line, sinkEnvironment).expect(errors: nil)
    #expect(try count() == "2\n")
    #expect(try scratch.pipe("list").expect().output == "")
  }

  @Test("a last line without a newline counts")
  func lastLine() throws {
    try scratch.store("1")
    let line = "printf %s \"$(pipe batch -n 1 --hold 1h)\" | '\(script)' logs.db | pipe ack"
    try scratch.sh(line, sinkEnvironment).expect(errors: nil)
    #expect(try count() == "1\n")
    #expect(try scratch.pipe("list").expect().output == "")
  }

  @Test(
    "an invalid batch line is reported, and the status is 64",
    arguments: [
      "hello", "", "{}", #"{"claim":"A"}"#, #"{"claim":"A","items":[]}"#,
      #"{"claim":"A","items":[{"id":"B","item":1,"priority":"LOW","data":]}"#,
      #"{"claim":"A","items":[{"id":"B","item":1,"priority":"LOW","data":1}"#,
    ])
  func noBatchLine(line: String) throws {
    let run = try scratch.sh("'\(script)' logs.db", input: line + "\n", sinkEnvironment)
    run.expect("", errors: "sqlite: not a batch line: \(line)".trimmingSpace + "\n", status: 64)
  }

  @Test("bytes that are not text are an invalid batch line")
  func noText() throws {
    let run = try scratch.sh("printf '\\377\\n' | '\(script)' logs.db", sinkEnvironment)
    run.expect("", errors: "sqlite: not a batch line: \u{fffd}\n", status: 64)
  }

  @Test(
    "a SINK_WAIT that is not a number of seconds stops the sink, no attempt counted",
    arguments: ["1m", "junk", "-1", "nan"])
  func patience(value: String) throws {
    try scratch.store("1")
    let run = try scratch.sh(
      Scratch.sink("sqlite") + " logs.db", sinkEnvironment.merging(["SINK_WAIT": value]) { $1 })
    run.expect("", errors: nil, status: 69)
    let words = "sqlite: SINK_WAIT=\(value): not a number of seconds\n"
    #expect(run.errors.hasPrefix(words), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }
}

extension String {
  fileprivate var trimmingSpace: String { trimmingCharacters(in: .whitespaces) }
}

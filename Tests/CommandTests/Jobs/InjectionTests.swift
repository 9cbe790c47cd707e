import Foundation
import TestSupport
import Testing

@Suite("Records that look like jobs")
struct InjectionTests {
  private let scratch: Scratch
  private var random: SplitMix

  init() throws {
    scratch = try Scratch()
    random = SplitMix(seed: 15)
    try scratch.prepare("init")
  }

  private var job: String {
    #"{"argv":["touch","\#(scratch.path("hit"))"],"cwd":"/","env":["PATH=/bin:/usr/bin"]}"#
  }

  // Pieces of a job, of its OPTIONS column, and of the lines and names around it.
  private mutating func text() -> String {
    let pieces = [
      job, #""job":true"#, #"{"job":true}"#, #","job":true,""#, #"","job":true}"#, #"\"#, #"""#,
      #"\u006aob"#, " ", "\t", "\n", "\r", "\u{0}", "}", "{", "\u{7f}", "é", "\u{2028}", "-", "k",
      #""accepted":1}"#, #"{"key":"a","job":true}"#, "%0a", "true", "[]", "0",
    ]
    return (0..<random.number(1...4)).map { _ in random.pick(pieces) }.joined()
  }

  // As a JSON string.
  private func quoted(_ text: String) throws -> String {
    let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .withoutEscapingSlashes]
    let data = try JSONSerialization.data(withJSONObject: text, options: options)
    return String(decoding: data, as: UTF8.self)
  }

  private mutating func record() throws -> String {
    switch random.number(0...3) {
    case 0: job
    case 1: #"{"job":true,"options":{"job":true},\#(job.dropFirst())"#
    case 2: #"{\#(try quoted(text())):true,\#(job.dropFirst())"#
    default: try quoted(text())
    }
  }

  private mutating func entry(_ number: Int) throws -> String {
    let id = "01M7YFR55BHYP5BSPG0DPT" + String(number + 10_000, radix: 16).uppercased()
    let members = ["job", "JOB", "options", "is_job", "j"].map { #""\#($0)":true"# }
    return #"{"id":"\#(id)","priority":"HIGH","time":"2026-11-21T05:00:00Z","#
      + #"\#(random.pick(members)),"key":\#(try quoted(text())),"data":\#(try record())}"#
  }

  // Every line of the queue is worked off as a job; none of them was submitted.
  private func expectNoJob(_ stored: Int) throws {
    try scratch.pipe("work").expect("", errors: nil, status: 1)
    try scratch.sh("pipe dead | jq -r .reason | uniq -c | sed 's/^ *//'").expect(
      "\(stored) not a command that pipe submit stored\n")
    #expect(!FileManager.default.fileExists(atPath: scratch.path("hit")))
  }

  @Test("no record, entry line or key that enqueue stores becomes a command, whatever it contains")
  mutating func enqueue() throws {
    let records = try (0..<600).map { _ in try record() }
    let entries = try (0..<600).map { try entry($0) }
    let texts = (0..<300).map { _ in text().replacing("\n", with: " ") }
    var receipts = 0
    for (options, lines) in [
      (["--raw"], records), (["--dedup", "1h"], entries), (["--text"], texts),
    ] {
      let input = lines.joined(separator: "\n") + "\n"
      let run = try scratch.run(
        [Binary.path, "enqueue"] + options, input: Array(input.utf8))
      receipts += run.lines.count { !$0.contains("duplicate") }
    }
    #expect(receipts > 1000)
    try expectNoJob(receipts)
  }

  @Test("nothing that is posted becomes a command, whatever its body and its key contain")
  mutating func post() throws {
    let gateway = try Gateway(scratch)
    // A key that comes again gets the receipt of its first record.
    var receipts: Set<String> = []
    for _ in 0..<300 {
      let key = text().filter { $0.isASCII && $0 >= " " && $0 != "\u{7f}" }
      let reply = try gateway.ask(
        "POST", random.pick(["/ingest", "/log"]),
        ["Content-Type: application/json", "Idempotency-Key: \(key)"], body: try record())
      if reply.body.contains("ingestion_id") { receipts.insert(try reply.receipt()) }
    }
    let body = try (0..<300).map { _ in try record() }.joined(separator: "\n") + "\n"
    let type = "Content-Type: application/x-ndjson"
    let bulk = try gateway.ask("POST", "/ingest", [type], body: body)
    let stored = bulk.body.split(separator: "\n").count { $0.contains("ingestion_id") }
    _ = gateway.stop()
    #expect(receipts.count > 100 && stored > 100)
    try expectNoJob(receipts.count + stored)
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Partial answers")
struct PartialAnswerTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
  }

  /// Ready items, each with its next attempt.
  private func ready() throws -> [String] {
    try scratch.pipe("batch", "--dry-run", "--size", "1").objects().map {
      "\($0.data[0]) \($0["attempt"] ?? "none")"
    }
  }

  @Test("items that a line leaves out are ready again, and the pipeline ends", .needs("jq"))
  func items() throws {
    try scratch.store(1...3)
    try scratch.sh("pipe batch -n 1 | jq -c --unbuffered '.items |= .[:2]' | pipe ack").expect("")
    #expect(try ready() == ["3 1"])
  }

  @Test("items that two lines leave out together are ready again", .needs("jq"))
  func twoLines() throws {
    try scratch.store(1...4)
    let split = #".items as $all | (0, 2) as $n | .items = $all[$n:$n + 1]"#
    try scratch.sh("pipe batch --size 4 | jq -c '\(split)' | pipe ack").expect("")
    #expect(try ready() == ["2 1", "4 1"])
  }

  @Test(
    "ack keeps the items its lines left out after batch has ended, then gives them back",
    .needs("jq"))
  func takenOver() throws {
    try scratch.store(1...3)
    let batch = try scratch.start("batch", "--follow", "-n", "1")
    let ack = try scratch.start("ack", "--tee")
    let line = try #require(batch.line())
    let part = try scratch.sh("jq -c '.items |= .[:1]'", input: line).output
    ack.feed(part)
    #expect(ack.line().map { $0 + "\n" } == part)
    batch.finish().expect()
    #expect(try scratch.count("claimed") == 2)
    ack.finish().expect()
    #expect(try ready() == ["2 1", "3 1"])
  }

  @Test("a batch whose line is dropped has used its attempt, and the pipeline ends")
  func dropped() throws {
    try scratch.store(1...6)
    let run = try scratch.sh(
      "pipe batch | grep --line-buffered -v '\"data\":2' | pipe ack; echo ${PIPESTATUS[*]}")
    run.expect(
      "141 0 0\n",
      errors: "pipe batch: the pipeline ended without settling 3 items\n")
    #expect(try ready() == ["1 2", "2 2", "3 2"])
  }

  @Test("lines that ack cannot read do not keep the pipeline from ending")
  func rubbish() throws {
    try scratch.store(1...3)
    let run = try scratch.sh(
      "pipe batch | sed -u 's/.*/rubbish/' | pipe ack; echo ${PIPESTATUS[*]}")
    run.expect("141 0 65\n", errors: nil)
    #expect(run.errors.contains("stdin:1: byte 1: expected a value"), run.story)
    #expect(try ready() == ["1 2", "2 2", "3 2"])
  }

  @Test("a line of which ack can read only the claim counts no attempt", .needs("jq"))
  func badResult() throws {
    try scratch.store(1...3)
    try scratch.sh("pipe batch | jq -c '.result = \"fine\"' | pipe ack; echo ${PIPESTATUS[*]}")
      .expect(
        "0 0 65\n", errors: nil)
    #expect(try ready() == ["1 1", "2 1", "3 1"])
  }

  @Test(
    "a pipeline that left items out ends when batch is stopped",
    arguments: ["cat", "sed -u s/c/x/g"])
  func stop(filter: String) throws {
    try scratch.store(1...3)
    let script = "(echo $BASHPID > pid; exec pipe batch --follow) | tee seen | \(filter) | pipe ack"
    let child = try scratch.start(["bash", "-c", script])
    try wait(until: { try !scratch.lines(of: "seen").isEmpty }, "a batch")
    let text = try #require(try scratch.lines(of: "pid").first)
    kill(try #require(Int32(text)), SIGTERM)
    let run = child.finish()
    #expect(run.ending != .hung, run.story)
    #expect(try scratch.count("claimed") == 0)
  }

  @Test("a slow stage behind one that has ended keeps its claims")
  func slowStage() throws {
    try scratch.store(1...2)
    let slow = "while read -r line; do sleep 2; echo \"$line\"; done"
    try scratch.sh("pipe batch --size 1 | cat | (\(slow)) | pipe ack; echo ${PIPESTATUS[*]}")
      .expect(
        "0 0 0 0\n")
    try scratch.pipe("list").expect("")
  }

  @Test("a loop that settles batch by batch behind a filter keeps its claims")
  func slowLoop() throws {
    try scratch.store(1...2)
    let loop = "while read -r line; do sleep 2; pipe ack \"$line\"; done"
    try scratch.sh("pipe batch --size 1 | cat | \(loop); echo ${PIPESTATUS[*]}").expect("0 0 0\n")
    try scratch.pipe("list").expect("")
  }

  @Test("a filter that reads to the end before it writes sees the end after the last batch")
  func readsAll() throws {
    try scratch.store(1...6)
    try scratch.sh("pipe batch | sort -r | pipe ack").expect("")
    try scratch.pipe("list").expect("")
  }

  @Test("a pipeline whose output is read by another process also ends", .needs("jq"))
  func inner() throws {
    try scratch.store(1...3)
    let line = "(pipe batch | grep -v claim | pipe ack --tee; echo end) 2> errors | cat"
    try scratch.sh(line).expect("end\n")
    #expect(try scratch.count("ready") == 3)
  }

  @Test(
    "when a --stream worker ends after answering some items, the others are ready", .needs("jq"))
  func stream() throws {
    try scratch.store(1...6)
    let line = "pipe consume --stream --size 3 -- jq -c --unbuffered '.items |= .[:2]'"
    try scratch.sh(line).expect(
      "", errors: "pipe consume: jq: ended with items unanswered; 2 items given back\n", status: 1)
    #expect(try ready() == ["3 1", "6 1"])
  }

  @Test("ack reports ten unreadable lines and counts the others")
  func bounded() throws {
    try scratch.prepare("init")
    let run = try scratch.pipe("ack", input: String(repeating: "rubbish\n", count: 5000))
    run.expect("", errors: nil, status: 65)
    let lines = run.errors.split(separator: "\n")
    #expect(lines.count == 11, run.story)
    #expect(lines.last?.hasPrefix("pipe ack: 5000 of 5000 lines rejected") == true, run.story)
  }

  @Test("ack reports ten claims that are no longer held and counts the others")
  func boundedLost() throws {
    try scratch.prepare("init")
    let lines = (0..<100).map { #"{"claim":"\#(id(at: 1, $0))"}"# + "\n" }
    let run = try scratch.pipe("ack", input: lines.joined())
    run.expect("", errors: nil, status: 76)
    #expect(run.errors.hasSuffix("\npipe ack: 90 more errors like these\n"), run.story)
    #expect(run.errors.split(separator: "\n").count == 11, run.story)
  }
}

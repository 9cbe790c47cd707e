import Foundation
import TestSupport
import Testing

@Suite("batch")
struct BatchTests {
  private let scratch: Scratch
  private let ids: [String]

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    ids = try scratch.store(
      #"{"ids":[1,2,3,4,5]}"#, #"{"ids":[6,7,8,9],"priority":"HIGH"}"#, #"{"a": 1.0}"#)
  }

  @Test("batch prints batch lines of the queue's slice size and ends when the last is settled")
  func lines() throws {
    let child = try scratch.start("batch")
    let lines = (0..<4).compactMap { _ in child.line() }
    let first = #"{"id":"\#(ids[1])","item":4,"key":"\#(ids[1])-4","priority":"HIGH","data":9}"#
    let last =
      #"{"id":"\#(ids[2])","item":1,"key":"\#(ids[2])","priority":"MEDIUM","data":{"a": 1.0}}"#
    let claims = lines.map { $0.object["claim"] as? String ?? "none" }
    #expect(Set(claims).count == 4)
    #expect(lines.map(\.object.data) == [[6, 7, 8], [9, 1, 2], [3, 4, 5], [-1]])
    #expect(lines[1].hasPrefix(#"{"claim":"\#(claims[1])","attempt":1,"items":[\#(first),"#))
    #expect(lines[3] == #"{"claim":"\#(claims[3])","attempt":1,"items":[\#(last)]}"#)
    try scratch.sh("pipe list --state claimed | wc -l; pipe list --state ready").expect("3\n")
    try scratch.pipe("ack", input: lines.dropLast().joined(separator: "\n")).expect("")
    try scratch.pipe("ack", claims[3]).expect("")
    child.finish().expect()
    try scratch.pipe("list").expect("")
  }

  @Test("batch stops after -n batches of --size items and leaves the rest")
  func some() throws {
    let line =
      "pipe batch -n 2 --size 4 | jq --unbuffered -c . | pipe ack --tee | jq -c .items[].data"
    try scratch.sh(line).expect("6\n7\n8\n9\n1\n2\n3\n4\n")
    try scratch.pipe("consume").expect("5\n{\"a\": 1.0}\n")
  }

  @Test("batch --follow also hands out later entries, until a signal")
  func follow() throws {
    let child = try scratch.start("batch", "--follow", "--size", "10")
    let first = try #require(child.line())
    #expect(first.object.data.count == 10)
    try scratch.store("11")
    let line = try #require(child.line())
    #expect(line.object.data == [11])
    child.signal(SIGTERM)
    try child.waitUntilTaken(SIGTERM)
    try scratch.store("12")
    try scratch.pipe("ack", line, first).expect("")
    child.finish().expect()
    try scratch.pipe("consume").expect("12\n")
  }

  @Test(
    "batch gives everything back at the second signal, no attempt counted",
    arguments: [SIGTERM, SIGINT])
  func second(number: Int32) throws {
    let child = try scratch.start("batch", "--follow")
    #expect(child.line() != nil)
    child.signal(SIGINT)
    try child.waitUntilTaken(SIGINT)
    child.signal(number)
    child.finish().expect(ending: .killed(number))
    try scratch.sh("pipe consume --size 3 -n 1 -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect(
      "6\n7\n8\n1\n")
  }

  @Test("batch --dry-run prints what is waiting and when it starts, and claims nothing")
  func dryRun() throws {
    let names = try scratch.names(in: "queue/now")
    let run = try scratch.pipe("batch", "--dry-run", "--every", "5s").expect()
    #expect(try run.objects().map(\.data) == [[6, 7, 8], [9, 1, 2], [3, 4, 5], [-1]])
    #expect(try run.objects().map { $0["at"] as? Double } == [0, 5, 10, 15])
    let head =
      #"{"at":0.0,"attempt":1,"items":[{"id":"\#(ids[1])","item":1,"key":"\#(ids[1])","priority":"HIGH","#
    #expect(run.output.hasPrefix(head + #""data":6},"#), run.story)
    #expect(!run.output.contains("claim"), run.story)
    let two = try scratch.pipe("batch", "--dry-run", "-n", "2", "--size", "1").expect()
    #expect(try two.objects().map(\.data) == [[6], [7]])
    #expect(try two.objects().map { $0["at"] as? Double } == [0, 0])
    #expect(try scratch.names(in: "queue/now") == names)
  }

  @Test("batch --dry-run accounts for failures, the last start and an empty queue")
  func dryRunLater() throws {
    try scratch.prepare("init", "--backoff", "1h..1h")
    try scratch.sh("pipe consume -n 1 --size 2 -- false").expect(errors: nil, status: 1)
    let shown = try scratch.pipe("batch", "--dry-run", "--size", "20", "--every", "2m").objects()
    #expect(shown.map(\.data) == [[8, 9, 1, 2, 3, 4, 5, -1], [6, 7]])
    #expect(shown.map { $0["attempt"] as? Int } == [1, 2])
    let times = shown.compactMap { $0["at"] as? Double }
    #expect(times[0] > 0 && times[0] <= 120 && times[1] > 1000 && times[1] <= 3600, "\(times)")
    try scratch.pipe("consume").expect()
    #expect(try scratch.pipe("batch", "--dry-run").objects().map(\.data) == [[6, 7]])
    try scratch.sh(
      "pipe batch -q other --dry-run; pipe init -q other; pipe batch -q other --dry-run"
    )
    .expect("", errors: nil)
  }

  @Test(
    "batch rejects invalid options",
    arguments: [
      "--dry-run --follow", "--dry-run --hold 5s", "--size 0", "-n 0", "--every 5", "--hold", "x",
    ])
  func usage(options: String) throws {
    try scratch.sh("pipe batch \(options)").expect("", errors: nil, status: 64)
  }
}

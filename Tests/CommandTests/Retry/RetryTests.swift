import Foundation
import TestSupport
import Testing

@Suite("Failed items")
struct RetryTests {
  @Test(
    "the exit status decides whether an item is done, dead, ready or waits for a retry",
    arguments: [
      ("exit 0", "done"), ("exit 1", "later"), ("exit 2", "later"), ("exit 63", "later"),
      ("exit 64", "ready"), ("exit 65", "dead"), ("exit 66", "later"), ("exit 69", "ready"),
      ("exit 70", "later"), ("exit 75", "later"), ("exit 77", "ready"), ("exit 78", "ready"),
      ("exit 125", "later"), ("exit 126", "ready"), ("exit 127", "ready"), ("exit 128", "later"),
      ("exit 255", "later"), ("kill -TERM $$", "later"), ("kill -KILL $$", "later"),
      ("exec sleep 600", "later"),
    ])
  func table(command: String, state: String) throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
    let id = try scratch.store("1")[0]
    let options = command.contains("sleep") ? "--timeout 50ms" : ""
    let run = try scratch.sh("pipe consume \(options) -- sh -c '\(command)'")
    let status: Int32 = ["done": 0, "ready": 69][state] ?? 1
    run.expect("", errors: nil, status: status)
    #expect(try scratch.fates(id) == ["1 \(state)"], run.story)
    #expect(try scratch.one("status", id)["attempts"] as? Int == (state == "later" ? 1 : nil))
  }

  @Test("the wait grows with each failure, within bounds and up to the maximum")
  func backoff() throws {
    let scratch = try Scratch()
    let id = try scratch.store("1")[0]
    // Hours: once to twice the base at first, then doubling, never above the maximum.
    let bounds: [ClosedRange<Double>] = [1...2, 2...4, 4...8, 5...10, 5...10]
    for (failed, bounds) in bounds.enumerated() {
      try scratch.retriesAtOnce()
      try scratch.sh("for i in $(seq \(failed)); do pipe consume -- false; done").expect(
        errors: nil, status: failed > 0 ? 1 : 0)
      try scratch.prepare("init", "--backoff", "1h..10h")
      try scratch.sh("pipe consume -- false").expect(errors: nil, status: 1)
      let run = try scratch.runs(id)[0]
      #expect(run["attempts"] as? Int == failed + 1)
      let hours = (run["in_seconds"] as? Double ?? 0) / 3600
      #expect(bounds.contains(hours) || bounds.contains(hours + 0.1), "\(hours) h")
      try scratch.sh("pipe consume").expect("", "before it is due")
      try makeDue(scratch.path("queue"))
      try scratch.pipe("ack", "--bury", try scratch.sh("pipe batch -n 1 --hold 1h").output)
        .expect("")
      try scratch.pipe("retry", "--all").expect()
    }
  }

  @Test("a failure says when the item is tried again")
  func told() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "2s..3s")
    try scratch.store("1")
    let run = try scratch.sh("pipe consume -- false")
    let form = #/pipe consume: [0-9A-Z]{26} item 1: exit 1 \(attempt 1\); retry in (.*)\n/#
    let wait = run.errors.wholeMatch(of: form)?.1
    #expect(wait?.wholeMatch(of: #/[123](\.\d)? s/#) != nil, run.story)
    run.expect("", errors: nil, status: 1)
  }

  @Test("a follower retries a failed item as soon as it is due, in its place, without being woken")
  func follower() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "50ms..50ms")
    try scratch.store("1", "2")
    let line = "read n; echo $n $PIPE_ATTEMPT; test $n$PIPE_ATTEMPT != 11"
    let child = try scratch.start("consume", "--follow", "-n", "3", "--", "sh", "-c", line)
    let run = child.finish().expect(errors: nil, status: 1)
    // The other item may be slower than the backoff.
    #expect(run.lines.filter { $0 != "2 1" } == ["1 1", "1 2"] && run.lines.count == 3, run.story)
  }

  @Test("a failed batch returns as the same items, and no others with them")
  func sameItems() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    let id = try scratch.store(#"{"ids":[1,2,3,4,5]}"#)[0]
    try scratch.sh("pipe consume -n 1 --size 3 -- false").expect(errors: nil, status: 1)
    try scratch.store("6", #"{"ids":[7],"priority":"HIGH"}"#)
    let show = "sh -c 'echo $(cat), attempt $PIPE_ATTEMPT'"
    try scratch.sh("pipe consume --size 9 -- \(show)").expect(
      "7, attempt 1\n1 2 3, attempt 2\n4 5 6, attempt 1\n")
    #expect(try scratch.words(id) == ["completed", "completed", "completed"])
  }

  @Test("items return one by one for their last attempt, so that only the bad one is buried")
  func lastAttempt() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    try scratch.prepare("init", "--retries", "1")
    let id = try scratch.store(#"{"ids":[1,2,3,4]}"#)[0]
    let hates2 = "sh -c 'echo $(cat) | tee -a log | (! grep -q 2)'"
    try scratch.sh("pipe consume --size 3 -- \(hates2)").expect(errors: nil, status: 1)
    #expect(try scratch.fates(id) == ["1-3 ready", "4 done"])
    try scratch.sh("pipe consume --size 3 -- \(hates2)").expect(errors: nil, status: 1)
    #expect(try scratch.lines(of: "log") == ["1 2 3", "4", "1", "2", "3"])
    #expect(try scratch.fates(id) == ["1 done", "2 dead", "3-4 done"])
    #expect(try scratch.words(id) == ["failed", "failed", "completed"])
  }

  @Test("--retries 0 buries failed items at once")
  func noRetries() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--retries", "0")
    let id = try scratch.store(#"{"ids":[1,2]}"#)[0]
    let run = try scratch.sh("pipe consume --size 2 -- false")
    let claim = run.errors.split(separator: " ").dropFirst(3).first ?? "none"
    let what = "claim \(claim) (2 items from \(id) item 1): exit 1 (attempt 1)"
    run.expect("", errors: "pipe consume: \(what); 2 items buried (dead letters)\n", status: 1)
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Dead letters")
struct DeadTests {
  private let scratch: Scratch
  private let ids: [String]

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    ids = try scratch.store(
      #"{"ids":[1,2,3,4,5],"priority":"HIGH"}"#, #"{"a": 1.50, "z":"ü"}"#, "7")
  }

  /// Consumes everything and buries the items that match `pattern`.
  private func bury(_ pattern: String, _ options: String = "") throws {
    let command = "grep -qE \"\(pattern)\" || exit 0; echo boom >&2; exit 65"
    try scratch.sh("pipe consume \(options) -- sh -c '\(command)'").expect(
      errors: nil, status: 1)
  }

  private func unknown(_ command: String, _ id: String) -> String {
    "pipe \(command): \(id): has no dead letter; see pipe explain\n"
  }

  @Test("a dead letter is one line with the item's bytes, its end and its history")
  func line() throws {
    try scratch.sh("pipe consume --size 5 -n 1 -- sh -c 'kill -9 $$'").expect(
      errors: nil, status: 1)
    try bury("3|1.50", "--size 1")
    let run = try scratch.sh("pipe dead | sed -E 's/\"20[-0-9:.T]+Z\"/\"T\"/g'")
    let first =
      #"{"id":"\#(ids[0])","item":3,"priority":"HIGH","data":3,"reason":"exit 65","#
      + #""exit_status":65,"signal":null,"stderr":"boom\n","died_at":"T","history":["#
      + #"{"attempt":1,"started_at":"T","ended_at":"T","signal":9,"reason":"killed by signal 9"},"#
      + #"{"attempt":2,"started_at":"T","ended_at":"T","exit_status":65,"reason":"exit 65"}]}"#
    let second =
      #"{"id":"\#(ids[1])","item":1,"priority":"MEDIUM","data":{"a": 1.50, "z":"ü"},"#
      + #""reason":"exit 65","exit_status":65,"signal":null,"stderr":"boom\n","died_at":"T","#
      + #""history":[{"attempt":1,"started_at":"T","ended_at":"T","exit_status":65,"reason":"exit 65"}]}"#
    run.expect(first + "\n" + second + "\n")
    let letter = try scratch.one("dead", ids[1])
    #expect(letter["died_at"] as? String == letter.times.last)
    #expect(letter.times == letter.times.sorted())
  }

  @Test("a dead letter keeps the last 4 KiB of stderr, whatever its bytes")
  func stderr() throws {
    let noise = "yes line | head -n 5000; printf \"end\\\\377\\\\000\\\\033\""
    try scratch.sh("pipe consume -n 1 -- sh -c '(\(noise)) >&2; exit 65'").expect(
      errors: nil, status: 1)
    let text = try #require(try scratch.one("dead")["stderr"] as? String)
    #expect(text.hasSuffix("line\nend\u{fffd}\0\u{1b}"))
    #expect(text.unicodeScalars.count == 4096)
  }

  @Test("retry leaves alone a dead letter that another retry or drop has taken", .needsStrace)
  func contended() throws {
    try bury("7", "--size 1")
    // It has listed the dead letters when it stops, and has no lock yet.
    func startRetry() throws -> Child {
      try scratch.startStopped(
        at: "getdents64", in: "queue/dead/MEDIUM/0", time: 2, "retry", "--all")
    }
    var slow = try startRetry()
    try scratch.sh("pipe retry --all > first; pipe consume").expect("7\n")
    slow.signal(SIGCONT)
    slow.finish().expect("")
    try scratch.pipe("consume").expect("", "delivered after it was done")
    try scratch.store("7")
    try bury("7", "--size 1")
    slow = try startRetry()
    try scratch.sh("pipe drop --all > first").expect("")
    slow.signal(SIGCONT)
    slow.finish().expect("")
    try scratch.pipe("consume").expect("", "delivered after it was dropped")
  }

  @Test("dead prints the dead letters of the given ids and exits with 1 if an id has none")
  func some() throws {
    try bury("^[257]$", "--size 1")
    try scratch.sh("pipe dead | jq -c .data").expect("2\n5\n7\n")
    try scratch.sh("pipe dead \(ids[2]) \(ids[0]) | jq -c .data").expect("7\n2\n5\n")
    let none = "01M7YFR55BHYP5BSPG0DPTADCJ"
    let why = unknown("dead", ids[1]) + "pipe dead: \(none): no such id in \(scratch.path)/queue\n"
    let run = try scratch.pipe("dead", ids[1], none, ids[2])
    run.expect(errors: why, status: 1)
    #expect(run.lines.count == 1)
    #expect(try scratch.words(ids[0]) == ["failed", "failed", "failed"])
    try scratch.sh("pipe list --state dead | jq -c '.ids // .data'").expect("[2,5]\n7\n")
  }

  @Test("a dead letter fails its slice, and its entry once nothing of it can still run")
  func words() throws {
    try bury("2", "-n 2 --size 1")
    #expect(try scratch.words(ids[0]) == ["triggered", "failed", "yet_to_start"])
    try scratch.sh("pipe consume -n 2 -- true").expect("")
    #expect(try scratch.words(ids[0]) == ["triggered", "failed", "triggered"])
    try scratch.sh("pipe consume -n 1 -- true").expect("")
    #expect(try scratch.words(ids[0]) == ["failed", "failed", "completed"])
    #expect(try scratch.one("status", ids[0])["attempts"] == nil)
  }

  @Test("retry makes a dead letter ready in its place, as if never tried")
  func retry() throws {
    try bury("[24]", "--size 1")
    let new = try scratch.store("8")[0]
    try scratch.pipe("retry", ids[0]).expect(#"{"id":"\#(ids[0])","items":2}"# + "\n")
    try scratch.pipe("dead").expect("")
    #expect(try scratch.words(ids[0]) == ["triggered", "triggered", "triggered"])
    let run = try scratch.runs(ids[0])[1]
    #expect((run["history"] as? [Any])?.count == 1, "what happened stays known")
    try scratch.sh("pipe consume -- sh -c 'echo $(cat), attempt $PIPE_ATTEMPT'").expect(
      "2, attempt 1\n4, attempt 1\n8, attempt 1\n")
    #expect(try scratch.words(ids[0]) == ["completed", "completed", "completed"])
    try scratch.pipe("retry", ids[0], new).expect(
      "", errors: unknown("retry", ids[0]) + unknown("retry", new), status: 1)
  }

  @Test("retry --all brings back every dead letter")
  func retryAll() throws {
    try bury(".", "--size 1")
    let lines = zip(ids, [5, 1, 1]).map { #"{"id":"\#($0)","items":\#($1)}"# + "\n" }
    try scratch.pipe("retry", "--all").expect(lines.joined())
    try scratch.pipe("retry", "--all").expect("")
    try scratch.sh("pipe consume | wc -l").expect("7\n")
  }

  @Test("drop removes a dead letter, and its slice stays failed")
  func drop() throws {
    try bury("^[27]$", "--size 1")
    try scratch.pipe("drop", ids[0]).expect(#"{"id":"\#(ids[0])","items":1}"# + "\n")
    try scratch.pipe("drop", ids[0]).expect("", errors: unknown("drop", ids[0]), status: 1)
    try scratch.pipe("retry", ids[0]).expect("", errors: unknown("retry", ids[0]), status: 1)
    try scratch.sh("pipe dead | jq -c .data").expect("7\n")
    try scratch.pipe("drop", "--all").expect(#"{"id":"\#(ids[2])","items":1}"# + "\n")
    try scratch.pipe("drop", "--all").expect("")
    try scratch.pipe("dead").expect("")
    #expect(try scratch.words(ids[0]) == ["failed", "failed", "completed"])
    #expect(try scratch.words(ids[2]) == ["failed", "failed"])
    try scratch.pipe("consume").expect("")
  }

  @Test("a retried item can die again, and its history covers both lives")
  func again() throws {
    try bury("^7$")
    try scratch.prepare("retry", ids[2])
    try bury("^7$")
    let history = try scratch.one("dead", ids[2])["history"] as? [[String: Any]] ?? []
    #expect(history.map { $0["attempt"] as? Int } == [1, 1])
    try scratch.pipe("retry", "--all", ids[2]).expect("", errors: nil, status: 64)
    try scratch.pipe("drop").expect("", errors: nil, status: 64)
  }
}

extension Dictionary where Key == String, Value == Any {
  /// Start and end times of its history, in order.
  fileprivate var times: [String] {
    (self["history"] as? [[String: Any]] ?? []).flatMap {
      [$0["started_at"] as? String ?? "none", $0["ended_at"] as? String ?? "none"]
    }
  }
}

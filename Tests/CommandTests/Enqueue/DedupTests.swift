import Foundation
import TestSupport
import Testing

@Suite("enqueue --dedup")
struct DedupTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init")
  }

  private func receipt(_ id: String) -> String { #"{"ingestion_id":"\#(id)"}"# + "\n" }

  private func again(_ id: String) -> String {
    #"{"ingestion_id":"\#(id)","duplicate":true}"# + "\n"
  }

  /// Stores lines; true for each duplicate.
  private func hits(
    _ lines: String..., window: String = "1h", _ options: String...,
    at location: SourceLocation = #_sourceLocation
  ) throws -> [Bool] {
    let run = try scratch.run(
      [Binary.path, "enqueue", "--dedup", window] + options,
      input: Array(lines.map { $0 + "\n" }.joined().utf8))
    return run.expect(at: location).lines.map { $0.hasSuffix(#""duplicate":true}"#) }
  }

  private func raw(_ lines: String..., window: String = "1h") throws -> [Bool] {
    try lines.map { try hits($0, window: window, "--raw") == [true] }
  }

  private func keyed(_ number: Int, _ key: String, _ rest: String = #""data":1"#) -> String {
    entryLine(id(at: 1_795_000_000_000, number), #""key":"\#(key)",\#(rest)"#)
  }

  @Test("a duplicate is answered with the earlier id and not stored")
  func answers() throws {
    let first = try scratch.pipe("enqueue", "--raw", "--dedup", "5m", input: "1\n").expect()
    let id = try #require(first.receipts.first)
    first.expect(receipt(id))
    for _ in 0..<2 {
      try scratch.pipe("enqueue", "--raw", "--dedup", "5m", input: "1\n").expect(again(id))
    }
    try scratch.pipe("consume").expect("1\n")
  }

  @Test("records are duplicates only if their bytes are equal")
  func records() throws {
    #expect(try raw(#"{"a":1,"b":2}"#, #"{"b":2,"a":1}"#) == [false, false])
    #expect(try raw(#"{"a":1, "b":2}"#, #"{"a":1,"b":2.0}"#) == [false, false])
    #expect(try raw(#" {"a":1,"b":2} "#, "[1,2]") == [true, false])
    let text = #"{"a":1,"b":2}"#
    #expect(
      try hits(entryLine(id(at: 1_795_000_000_000), #""priority":"LOW","data":\#(text)"#)) == [true]
    )
  }

  @Test("id requests are duplicates if their ids, order and priority are equal")
  func requests() throws {
    #expect(
      try raw(
        #"{"ids":[1,2,3]}"#, #"{"priority":"MEDIUM","ids":[1, 2,3]}"#,
        #"{"ids":[1,3,2]}"#, #"{"ids":[1,2]}"#, #"{"priority":"HIGH","ids":[1,2,3]}"#,
        #"{"ids":[1,2,3],"priority":"HIGH"}"#) == [false, true, false, false, false, true])
    #expect(try raw("[1,2,3]") == [false])
    try scratch.sh("pipe list | grep -c data").expect(
      "1\n", "a record of the same bytes is another")
  }

  @Test("entries with a key are compared by the key alone, whatever their data")
  func keys() throws {
    #expect(try hits(keyed(1, "a")) == [false])
    #expect(try hits(keyed(2, "a", #""data":2"#)) == [true])
    #expect(try hits(keyed(3, "a", #""ids":[5],"priority":"HIGH""#)) == [true])
    #expect(try hits(keyed(4, "b")) == [false])
    #expect(try hits(keyed(5, #"\u0061"#)) == [true], "the same string")
    #expect(try hits(keyed(6, #"a\"\\ b"#), keyed(7, #"a\"\\ b"#)) == [false, true])
    #expect(try hits(keyed(8, "")) == [false])
    #expect(try hits(keyed(9, ""), keyed(10, "1")) == [true, false])
  }

  @Test("entries without a key are compared by content, even with entries that have one")
  func keyless() throws {
    #expect(try hits(keyed(1, "a", #""data":{"x":1}"#)) == [false])
    #expect(try raw(#"{"x":1}"#) == [true])
    #expect(try raw(#"{"x":2}"#) == [false])
    #expect(try hits(keyed(2, "b", #""data":{"x":2}"#)) == [false], "a new key is a new entry")
  }

  @Test("--dedup finds the earlier entry in any state")
  func states() throws {
    try scratch.retriesAtOnce()
    let ids = try scratch.pipe("enqueue", "--raw", "--dedup", "1h", input: "1\n2\n").receipts
    try scratch.pipe("consume", "-n1").expect("1\n")
    try scratch.sh("pipe consume -n1 -- false").expect(errors: nil, status: 1)
    try scratch.pipe("enqueue", "--raw", "--dedup", "1h", input: "2\n1\n").expect(
      again(ids[1]) + again(ids[0]))
    let gate = try Gate(scratch)
    let child = try scratch.start("consume", "--", "sh", "-c", "echo started; read -r gate < gate")
    #expect(child.line() == "started")
    #expect(try raw("2") == [true])
    gate.letPass()
    child.finish().expect()
  }

  @Test("--dedup finds duplicates within one commit")
  func oneCommit() throws {
    let run = try scratch.pipe(
      "enqueue", "--raw", "--dedup", "1h", input: "1\n2\n1\n{\"ids\":[1]}\n2\n1\n{\"ids\":[1]}\n")
    let ids = run.expect().receipts
    run.expect(
      receipt(ids[0]) + receipt(ids[1]) + again(ids[0]) + receipt(ids[3]) + again(ids[1])
        + again(ids[0]) + again(ids[3]))
    try scratch.pipe("consume").expect("1\n2\n1\n")
    #expect(
      try hits(
        keyed(1, "k", #""data":7"#), entryLine(id(at: 1_795_000_000_000, 2), #""data":7"#),
        keyed(3, "k", #""data":8"#), keyed(4, "l", #""data":7"#)) == [false, true, true, false])
  }

  @Test("--dedup finds entries that were stored without it")
  func withoutIt() throws {
    let ids = try scratch.store("1", "2", #"{"ids":[3]}"#)
    try scratch.pipe(
      "enqueue", "--raw", "--dedup", "1h", input: "2\n{\"ids\":[3]}\n1\n"
    ).expect(again(ids[1]) + again(ids[2]) + again(ids[0]))
    let more = try scratch.store("4", "1")
    try scratch.pipe("enqueue", "--raw", "--dedup", "1h", input: "4\n1\n").expect(
      again(more[0]) + again(more[1]), "of several the last answers:")
    try scratch.pipe("enqueue", "--quiet", input: keyed(1, "k", #""data":5"#)).expect("")
    #expect(try hits(keyed(2, "k", #""data":6"#)) == [true], "by its key too")
    #expect(try scratch.pipe("enqueue", "--raw", input: "4\n").receipts.count == 1)
    try scratch.sh("pipe list | wc -l").expect("7\n")
  }

  @Test("an id that is stored already takes precedence over an equal key")
  func ids() throws {
    let (a, b) = (keyed(1, "a"), keyed(2, "b", #""data":2"#))
    #expect(try hits(a, b) == [false, false])
    let other = keyed(1, "b", #""data":2"#)
    try scratch.pipe("enqueue", "--dedup", "1h", input: other).expect(
      again(id(at: 1_795_000_000_000, 1)))
  }

  @Test("the window ends on time, and a hit does not renew it")
  func window() throws {
    try scratch.store("1")
    try wait(until: { try raw("1", window: "300ms") == [false] }, "the end of the window")
    let times = try scratch.sh("cut -d ' ' -f 2 queue/segments/MEDIUM/000/000001").lines
    let accepted = times.compactMap { Int($0) }
    #expect(accepted.count == 2 && accepted[1] - accepted[0] >= 300_000, "\(times)")
    #expect(try raw("1", window: "1h") == [true])
  }

  @Test("--dedup 0s finds no duplicates")
  func zero() throws {
    #expect(try hits("1", "1", window: "0s", "--raw") == [false, false])
    #expect(!FileManager.default.fileExists(atPath: scratch.path("queue/dedup")))
  }

  @Test("--dedup works when its files are removed, garbled, of another boot or odd")
  func files() throws {
    #expect(try raw("1", "2") == [false, false])
    #expect(scratch.mode("queue/dedup") == 0o700 && scratch.mode("queue/dedup/1") == 0o600)
    for harm in [
      "rm -r queue/dedup", "rm queue/dedup/1", "truncate -s 5000 queue/dedup/1",
      "printf x | dd of=queue/dedup/1 bs=1 seek=44 conv=notrunc",
      "rm queue/dedup/1; ln -s ../format queue/dedup/1", "rm queue/dedup/1; mkfifo queue/dedup/1",
      ": > queue/dedup/2", "ln -s ../format queue/dedup/99", "echo > queue/dedup/foreign",
      "head -c 69632 /dev/zero > queue/dedup/1", "head -c 69632 /dev/urandom > queue/dedup/1",
    ] {
      try scratch.sh("\(harm) 2> /dev/null").expect()
      #expect(try raw("1", "2") == [true, true], "\(harm)")
    }
    try scratch.sh("cat queue/format; pipe list | wc -l; ls queue/dedup").expect(nil)
    #expect(try scratch.names(in: "queue/dedup") == ["1", "foreign"])
  }

  @Test("--dedup reports a damaged page and rebuilds its files")
  func damagedPages() throws {
    #expect(try raw("1") == [false])
    let garble = "for page in $(seq 1 16); do printf x | dd of=queue/dedup/1 bs=1 conv=notrunc"
    try scratch.sh("\(garble) seek=$((page * 4096 + 9)) 2> /dev/null; done").expect()
    let run = try scratch.pipe("enqueue", "--raw", "--dedup", "1h", input: "1\n")
    run.expect(
      errors:
        "pipe enqueue: \(scratch.path)/queue/dedup/1: is damaged; rebuilt from the segments\n")
    #expect(run.output.hasSuffix(#""duplicate":true}"# + "\n"), run.story)
    #expect(try raw("1") == [true])
  }

  @Test("a running enqueue --dedup continues when its files are removed")
  func running() throws {
    let child = try scratch.start("enqueue", "--raw", "--dedup", "1h")
    func isHit(_ line: String) -> Bool? {
      child.feed(line + "\n")
      return child.line()?.hasSuffix(#""duplicate":true}"#)
    }
    #expect(isHit("1") == false)
    #expect(isHit("1") == true)
    try scratch.sh("rm -r queue/dedup").expect()
    #expect(isHit("1") == true)
    #expect(try raw("2") == [false], "of another process")
    #expect(isHit("2") == true)
    #expect(isHit("3") == false)
    #expect(try raw("3") == [true])
    child.finish().expect()
  }

  @Test("--dedup finds duplicates among entries that wait for room and answers once there is some")
  func fullQueue() throws {
    try scratch.pipe("init", "--max-items", "1").expect("")
    let first = try #require(try scratch.store("1").first)
    #expect(try raw("1") == [true], "what is there already needs no room")
    let child = try scratch.start("enqueue", "--dedup", "1h", "--wait", "10m")
    let ids = (7...9).map { id(at: 1_795_000_000_000, $0) }
    for (id, data) in [(ids[0], 1), (ids[1], 2), (ids[2], 2), (ids[1], 3)] {
      child.feed(entryLine(id, "\"data\":\(data)") + "\n")
    }
    child.endInput()
    try child.waitUntilWatching()
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    child.finish().expect(again(first) + receipt(ids[1]) + again(ids[1]) + again(ids[1]))
    try scratch.pipe("consume").expect("2\n")
  }
}

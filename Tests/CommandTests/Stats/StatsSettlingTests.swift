import Foundation
import TestSupport
import Testing

@Suite("Settled items in stats")
struct StatsSettlingTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  @Test("items that batch | ack settles count once, by their results")
  func batches() throws {
    try scratch.store(#"{"ids":[1,2,3,4,5,6,7]}"#)
    try scratch.sh("pipe batch -n 1 | pipe ack").expect("")
    #expect(try scratch.figures().settled == settled(3))
    try scratch.sh("pipe batch -n 1 --size 2 | pipe ack --bury").expect("")
    #expect(try scratch.figures().settled == settled(3, failed: 2))
    try scratch.sh("pipe batch -n 1 | pipe ack --retry").expect("")
    #expect(try scratch.figures().settled == settled(3, failed: 4))
    try scratch.sh("pipe batch | pipe ack").expect("")
    #expect(try scratch.figures().settled == settled(5, failed: 4))
  }

  @Test("items of a held claim count once, and not when it is acknowledged again")
  func held() throws {
    try scratch.store(#"{"ids":[1,2,3]}"#)
    let claim = try scratch.one("batch", "-n", "1", "--hold", "1h")["claim"] as? String ?? ""
    #expect(try scratch.figures().settled == settled(0))
    try scratch.pipe("ack", claim).expect("")
    try scratch.pipe("ack", claim).expect("", errors: nil, status: 76)
    #expect(try scratch.figures().settled == settled(3))
  }

  @Test("items that are settled one by one count once, and items left out come back")
  func partial() throws {
    let id = try scratch.store(#"{"ids":[1,2,3,4]}"#)[0]
    let claim =
      try scratch.one("batch", "-n", "1", "--size", "4", "--hold", "1h")["claim"] as? String ?? ""
    let line = { (item: Int, result: String) in
      #"{"claim":"\#(claim)","items":[{"id":"\#(id)","item":\#(item)}],"result":"\#(result)"}"#
    }
    let lines = [line(2, "ok"), line(3, "bury"), line(1, "retry"), line(2, "ok")]
    try scratch.pipe("ack", input: lines.joined(separator: "\n")).expect(errors: nil, status: 65)
    #expect(try scratch.fates(id) == ["1 ready", "2 done", "3 dead", "4 ready"])
    let figures = try scratch.figures()
    #expect(figures.settled == settled(1, failed: 2))
    #expect(figures.items("done") == [0, 1, 0] && figures.items("dead") == [0, 1, 0])
  }

  @Test("items of consume --stream count once, and as failed if the worker dies of them")
  func stream() throws {
    let ids = try scratch.store("1", "2", "3", "4", "5", "6", "7", "8", "9")
    try scratch.worker(
      """
      seen = 0
      while (lines := burst()):
        for batch in lines:
          seen += 1
          if seen > 6: os._exit(3)
          say(dict(ok(batch), result="retry") if seen == 4 else ok(batch))
      """)
    let run = try scratch.sh("pipe consume --stream -- ./worker").expect(errors: nil, status: 1)
    let failed = try ids.flatMap { try scratch.runs($0) }.reduce(0) {
      $0 + ($1["history"] as? [Any] ?? []).count
    }
    #expect(failed > 1, run.story)
    #expect(try scratch.figures().settled == settled(5, failed: failed), run.story)
    #expect(try scratch.figures().items("done") == [0, 5, 0])
  }

  @Test("an item counts for each failed attempt, until it is done after retry --all")
  func retried() throws {
    try scratch.prepare("init", "--retries", "1")
    try scratch.store(#"{"ids":[1,2]}"#)
    try scratch.sh("pipe consume --size 2 -n 1 -- false").expect(errors: nil, status: 1)
    #expect(try scratch.figures().settled == settled(0, failed: 2))
    // On their last attempt they come one at a time.
    try scratch.sh("pipe consume --size 2 -- false").expect(errors: nil, status: 1)
    #expect(try scratch.figures().settled == settled(0, failed: 4))
    #expect(try scratch.figures().items("dead") == [0, 2, 0])
    try scratch.prepare("retry", "--all")
    #expect(try scratch.figures().settled == settled(0, failed: 4))
    try scratch.pipe("consume", "--", "true").expect("")
    let figures = try scratch.figures()
    #expect(figures.settled == settled(2, failed: 4) && figures.items("done") == [0, 2, 0])
    #expect(figures["success/ratio"] == 0.333333)
  }

  @Test("items of a claim that goes back unharmed do not count")
  func returned() throws {
    try scratch.store("1", "2", "3")
    try scratch.sh("pipe consume -- sh -c 'exit 69'").expect("", errors: nil, status: 69)
    try scratch.sh("pipe consume -- ./none").expect("", errors: nil, status: 69)
    try scratch.sh("pipe batch -n 1 | pipe ack", ["PIPE_QUEUE": ""]).expect(
      "", errors: nil, status: 66)
    try scratch.sh("pipe batch -n 1 --size 3 | head -c 1").expect(nil, errors: nil)
    #expect(try scratch.figures().settled == settled(0))
    try scratch.sh("pipe consume | head -n 1").expect("1\n", errors: nil)
    let figures = try scratch.figures()
    #expect(figures.settled == settled(figures.items("done")[1]))
    #expect(figures.items("done")[1] + figures.items("ready")[1] == 3)
  }

  @Test("items count under the tag of their consumer, or under -, and in the total")
  func tags() throws {
    try scratch.store(count: 10)
    try scratch.pipe("consume", "-n", "2", "--tag", "b.2:x", "--", "true").expect("")
    try scratch.sh("pipe consume -n 3 --size 2 --tag a -- true").expect("")
    try scratch.sh("pipe consume -n 1 --tag a -- false").expect(errors: nil, status: 1)
    try scratch.sh("pipe consume -- true").expect("")
    let lines = try scratch.pipe("stats", "--by", "tag", "--json").expect().objects()
    #expect(lines.map { $0["tag"] as? String } == [nil, "a", "b.2:x"])
    #expect(lines.map { $0["batches"] as? Int } == [2, 3, 2])
    #expect(lines.map { Figures(root: $0)["success/acknowledged"] } == [2, 6, 2])
    #expect(lines.map { Figures(root: $0)["success/failed"] } == [0, 1, 0])
    #expect(try scratch.figures().settled == settled(10, failed: 1))
    let table = try scratch.sh("pipe stats --by tag | awk '{print $1, $2, $3, $NF, $(NF - 1)}'")
    #expect(
      table.lines.dropFirst().map { $0.split(separator: " ")[0...2].joined(separator: " ") }
        == ["- 2 2", "a 3 6", "b.2:x 2 2"], table.story)
  }
}

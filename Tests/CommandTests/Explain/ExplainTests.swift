import Foundation
import TestSupport
import Testing

@Suite("explain")
struct ExplainTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private func paragraph(_ id: String) throws -> [String] {
    try scratch.pipe("explain", id).expect().lines
  }

  @Test("explain describes a ready entry that no consumer has taken")
  func ready() throws {
    let ids = try scratch.store(#"{"ids":[1,2]}"#, "3")
    #expect(try scratch.fates(ids[0]) == ["1-2 ready"])
    let found = try scratch.one("explain", "--json", ids[1])
    #expect(
      Set(found.keys) == [
        "id", "priority", "created_at", "accepted_at", "items", "runs", "pace",
      ])
    #expect(found["id"] as? String == ids[1] && found["priority"] as? String == "MEDIUM")
    #expect(found["items"] as? Int == 1 && found["pace"] is NSNull)
    let run = (found["runs"] as? [[String: Any]] ?? [])[0]
    #expect(Set(run.keys) == ["from", "to", "state", "ahead", "in_seconds", "history"])
    #expect(run["ahead"] as? Int == 2 && run["in_seconds"] is NSNull)
    let lines = try paragraph(ids[1])
    #expect(lines[0].hasPrefix("\(ids[1]) (MEDIUM, 1 item), stored "))
    #expect(
      lines[1]
        == "  it is ready; 2 ready items ahead; "
        + "no batch is known to have been taken: is a consumer running?")
  }

  @Test("explain takes several ids, and names those that are unknown")
  func severalIDs() throws {
    let ids = try scratch.store("1", "2")
    let run = try scratch.pipe("explain", ids[1], "nothing", ids[0])
    #expect(run.ending == .exited(1) && run.errors.hasPrefix("pipe explain: nothing: "), run.story)
    let starts = run.output.split(separator: "\n\n").map { $0.prefix(26) }
    #expect(starts == [ids[1].prefix(26), ids[0].prefix(26)], run.story)
    try scratch.sh("pipe explain --json \(ids[0]) \(ids[1]) | jq -r .id").expect(
      "\(ids[0])\n\(ids[1])\n")
  }

  @Test("explain describes each run of items in the same state")
  func states() throws {
    try scratch.prepare("init", "--backoff", "1h..1h")
    let id = try scratch.store(#"{"ids":[1,2,3,4,5,6,7]}"#)[0]
    try scratch.sh("pipe consume -n 1").expect("1\n")
    try scratch.sh("pipe consume -n 1 --size 2 -- false").expect(errors: nil, status: 1)
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    let claim = try scratch.one("batch", "--hold", "1h", "--size", "2", "-n", "1")
    #expect(
      try scratch.fates(id) == ["1 done", "2-3 later", "4 dead", "5-6 claimed", "7 ready"])
    let runs = try scratch.runs(id)
    #expect(runs[1]["attempts"] as? Int == 1)
    #expect((1790...3600).contains(runs[1]["in_seconds"] as? Double ?? 0))
    #expect(runs[1]["due"] is String && runs[2]["dropped"] as? Bool == false)
    #expect(runs[3]["claim"] as? String == claim["claim"] as? String)
    #expect(runs[4]["ahead"] as? Int == 0)
    let lines = try paragraph(id)
    #expect(lines.count == 6)
    #expect(lines[1] == "  item 1 is done.")
    #expect(
      lines[2].contains(#/^  items 2 to 3 wait until .*Z \(in (1 h|\d+ min).*\) after 1 failed/#))
    #expect(lines[2].contains(#/attempt\. Attempt 1 ended .* ago: exit 1\.$/#))
    #expect(lines[3].contains("item 4 is dead; to try again: pipe retry \(id). Attempt 1 ended "))
    #expect(lines[4].contains("items 5 to 6 are claimed by pipe batch --hold until "))
    #expect(lines[5].hasPrefix("  item 7 is ready; nothing is ahead"))
    try scratch.prepare("drop", id)
    #expect(try scratch.runs(id)[2]["dropped"] as? Bool == true)
    #expect(try paragraph(id)[3].contains("item 4 is dead; it was dropped."))
  }

  @Test("explain groups adjacent dead letters with the same reason, and --json lists each")
  func alike() throws {
    let id = try scratch.store(#"{"ids":[1,2,3,4]}"#)[0]
    let run = "read n; exit $((n == 3 ? 66 : 65))"
    try scratch.prepare("init", "--retries", "0")
    try scratch.sh("pipe consume -- sh -c '\(run)'").expect("", errors: nil, status: 1)
    let lines = try paragraph(id)
    #expect(lines.count == 4)
    #expect(lines[1].contains(#/^  items 1 to 2 are dead; .* exit 65\.$/#))
    #expect(lines[2].contains(#/^  item 3 is dead; .* exit 66\.$/#))
    #expect(lines[3].contains(#/^  item 4 is dead; .* exit 65\.$/#))
    #expect(try scratch.runs(id).count == 4)
  }

  @Test("items that were cancelled or purged are not ahead")
  func cancelledAhead() throws {
    let ids = try scratch.store(
      #"{"ids":[1],"priority":"HIGH"}"#, "2", "3", "4", "5", #"{"ids":[6,7],"priority":"HIGH"}"#)
    try scratch.prepare("cancel", ids[2])
    try scratch.prepare("purge", ids[3])
    #expect(try scratch.runs(ids[4])[0]["ahead"] as? Int == 4)
    try scratch.prepare("cancel", ids[5], "--yes")
    #expect(try scratch.runs(ids[4])[0]["ahead"] as? Int == 2)
    #expect(try scratch.runs(ids[1])[0]["ahead"] as? Int == 1)
  }

  @Test("explain names the holder of a claim and the time of the claim")
  func claimed() throws {
    let id = try scratch.store("1")[0]
    let gate = try Gate(scratch)
    let child = try scratch.start(
      "consume", "--", "sh", "-c", "echo $PIPE_CLAIM; read go < gate")
    let token = try #require(child.line())
    let run = try scratch.runs(id)[0]
    #expect(run["state"] as? String == "claimed" && run["claim"] as? String == token)
    let holder = run["holder"] as? String ?? "none"
    #expect(holder.contains("\(child.process)"), "\(holder)")
    #expect(run["since"] is String && run["until"] is NSNull && run["attempt"] as? Int == 1)
    let line = try paragraph(id)[1]
    #expect(line.hasPrefix("  it is claimed by \(holder) since "), "\(line)")
    #expect(line.hasSuffix(", claim \(token), attempt 1."), "\(line)")
    gate.letPass()
    child.finish().expect()
    #expect(try paragraph(id)[1] == "  it is done.")
  }

  @Test("explain counts the items ahead among a million, and knows the pace")
  func million() throws {
    try scratch.prepare("init", "--backoff", "1h..1h")
    let numbers =
      "seq 1000000 | sed 's/.*/{\"ids\":[&,&]}/' | pipe enqueue --raw | sed -n '500000p;$p'"
    let ids = try scratch.sh(numbers).expect().receipts
    let ahead = { (id: String) in try scratch.runs(id)[0]["ahead"] as? Int }
    #expect(try ids.map(ahead) == [999_998, 1_999_998])
    let high = try scratch.store(#"{"ids":[7,8,9],"priority":"HIGH"}"#)[0]
    #expect(try (ids + [high]).map(ahead) == [1_000_001, 2_000_001, 0])
    try scratch.sh("pipe consume --size 100 -n 1 --every 5s -- true").expect("")
    #expect(try ids.map(ahead) == [999_998 - 97, 1_999_998 - 97])
    try scratch.sh("pipe consume --size 3 -n 1 -- false").expect(errors: nil, status: 1)
    #expect(try ids.map(ahead) == [999_998 - 100, 1_999_998 - 100], "what waits is not ready")
    try scratch.prepare("batch", "--hold", "1h", "--size", "8", "-n", "1", "--every", "1ms")
    let found = try scratch.one("explain", "--json", ids[0])
    let pace = found["pace"] as? [String: Any] ?? [:]
    #expect(pace["every_seconds"] as? Double == 0.001 && pace["size"] as? Int == 8)
    let run = (found["runs"] as? [[String: Any]] ?? [])[0]
    #expect(run["ahead"] as? Int == 999_890)
    // 124,986 batches come before it, one per millisecond.
    #expect(run["in_seconds"] as? Double == 124.986)
  }

  @Test("explain says when the next batch can start")
  func paced() throws {
    let id = try scratch.store(#"{"ids":[1,2,3,4,5,6,7,8]}"#)[0]
    try scratch.sh("pipe consume -n 1 --size 2 --every 1h -- true").expect("")
    let wait = try scratch.runs(id)[1]["in_seconds"] as? Double ?? 0
    #expect(wait > 3500 && wait <= 3600)
    let line = try paragraph(id)[2]
    #expect(
      line.hasPrefix("  items 3 to 8 are ready; nothing is ahead; the next batch can start in ")
    )
    #expect(
      line.contains(
        #/in (1 h 0 min|59 min \d+ s) \(2 items every 1 h 0 min\)/#), "\(line)")
  }

  @Test("explain rejects invalid and unknown ids", arguments: [[], ["--json"]])
  func unknown(options: [String]) throws {
    try scratch.prepare("init")
    let none = "01M7YFR55BHYP5BSPG0DPTADCJ"
    try scratch.run([Binary.path, "explain", none] + options).expect(
      "", errors: "pipe explain: \(none): no such id in \(scratch.path)/queue\n", status: 1)
    try scratch.pipe("explain", "x").expect("", errors: nil, status: 1)
    try scratch.pipe("explain").expect("", errors: nil, status: 64)
  }
}

import Foundation
import TestSupport
import Testing

@Suite("ack")
struct AckTests {
  private let scratch: Scratch
  private let ids: [String]
  private let batches: [String]

  /// Three batches held by the clock: [1,2,3], [4,5,6] and [7].
  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
    ids = try scratch.store(#"{"ids":[1,2,3,4,5,6]}"#, #"{"ids":[7]}"#)
    batches = try scratch.pipe("batch", "--hold", "1h").expect().lines
  }

  private func claim(_ number: Int) -> String {
    batches[number].object["claim"] as? String ?? "none"
  }

  private func line(_ number: Int, _ rest: String) -> String {
    #"{"claim":"\#(claim(number))",\#(rest)}"# + "\n"
  }

  private func lost(_ claim: String) -> String {
    "pipe ack: claim \(claim) is no longer held: it was already settled, or its holder is gone\n"
  }

  @Test("ack settles several claims from stdin and ignores the other members of their lines")
  func lines() throws {
    let own = batches[1].replacingOccurrences(
      of: #""attempt":1"#, with: #""mine":{"result":"bury"}"#)
    try scratch.pipe("ack", input: batches[0] + "\n\n" + own + "\r\n").expect("")
    #expect(try scratch.fates(ids[0]) == ["1-6 done"])
    #expect(try scratch.fates(ids[1]) == ["1 claimed"])
  }

  @Test("a second settlement of a claim changes none of its items")
  func second() throws {
    let part = line(0, #""items":[{"id":"\#(ids[0])","item":1,"result":"retry"}]"#)
    try scratch.pipe("ack", input: batches[0] + "\n" + part).expect(
      "", errors: lost(claim(0)), status: 76)
    #expect(try scratch.fates(ids[0]) == ["1-3 done", "4-6 claimed"])
  }

  @Test(
    "a claim can be settled after a power cut has moved the lane end back",
    arguments: ["", "--retry"])
  func behindTheEnd(option: String) throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
    let old = try scratch.sh("ls queue/end | grep MEDIUM").output.dropLast()
    let id = try scratch.store("1")[0]
    let token = try scratch.sh("pipe batch --hold 1h | jq -r .claim").output.dropLast()
    try scratch.sh("mv queue/end/MEDIUM.* queue/end/\(old)").expect()
    try scratch.sh("pipe ack \(option) \(token)").expect("", errors: nil)
    #expect(try scratch.fates(id) == ["1 \(option.isEmpty ? "done" : "later")"])
  }

  @Test("an item that its command acknowledged is not buried when the command fails")
  func ownClaim() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--retries", "0")
    let id = try scratch.store("1")[0]
    let run = try scratch.sh("pipe consume -- sh -c 'pipe ack $PIPE_CLAIM; false'")
    #expect(run.ending == .exited(76), "\(run)")
    #expect(try scratch.fates(id) == ["1 done"])
    try scratch.pipe("dead").expect("")
    try scratch.pipe("fsck").expect(nil)
  }

  @Test("ack takes tokens and batch lines as arguments")
  func arguments() throws {
    try scratch.pipe("ack", batches[0], claim(1), "{\"claim\":\"\(claim(2))\",\"result\":\"bury\"}")
      .expect("")
    #expect(try scratch.fates(ids[0]) == ["1-6 done"])
    #expect(try scratch.fates(ids[1]) == ["1 dead"])
    try scratch.pipe("ack", "x", claim(2)).expect(
      "", errors: "pipe ack: x: neither a claim token nor a batch line; pipe batch prints both\n",
      status: 64)
  }

  @Test("ack obeys --retry and --bury, and records --reason")
  func options() throws {
    try scratch.pipe("ack", "--retry", "--reason", "too early", claim(0)).expect("")
    try scratch.pipe("ack", "--bury", claim(1)).expect("")
    #expect(try scratch.fates(ids[0]) == ["1-3 later", "4 dead", "5 dead", "6 dead"])
    let histories = try scratch.runs(ids[0]).map { $0["history"] as? [[String: Any]] ?? [] }
    #expect(histories.map(\.count) == [1, 1, 1, 1])
    #expect(
      histories.map { $0[0]["reason"] as? String } == [
        "too early", "buried by pipe ack", "buried by pipe ack", "buried by pipe ack",
      ])
    try scratch.pipe("ack", "--retry", "--bury", claim(2)).expect("", errors: nil, status: 64)
  }

  @Test("the result of an item overrides that of its line, which overrides the options")
  func results() throws {
    let items = [
      #"{"id":"\#(ids[0])","item":1}"#, #"{"id":"\#(ids[0])","item":2,"result":"bury","x":0}"#,
      #"{"id":"\#(ids[0])","item":3,"reason":"its own"}"#,
    ]
    let text = #""items":[\#(items.joined(separator: ","))],"result":"retry","reason":"the line's""#
    try scratch.pipe("ack", "--bury", "--reason", "option", input: line(0, text)).expect("")
    try scratch.pipe("ack", "--bury", "--reason", "option", input: line(1, #""result":"ok""#))
      .expect("")
    try scratch.pipe("ack", "--bury", "--reason", "op\"tion", input: batches[2]).expect("")
    #expect(try scratch.fates(ids[0]) == ["1 later", "2 dead", "3 later", "4-6 done"])
    let reasons = try (ids[0...]).flatMap { try scratch.runs($0) }.map { run in
      (run["history"] as? [[String: Any]])?.last?["reason"] as? String ?? "-"
    }
    #expect(reasons == ["the line's", "the line's", "its own", "-", "op\"tion"])
  }

  @Test(
    "items that a line leaves out stay claimed until ack ends, then are ready, no attempt counted")
  func leftOut() throws {
    let child = try scratch.start("ack")
    child.feed(line(0, #""items":[{"id":"\#(ids[0])","item":2}]"#))
    try wait(until: { try scratch.fates(ids[0])[1] == "2 done" }, "its settlement")
    #expect(try scratch.fates(ids[0]) == ["1 claimed", "2 done", "3 claimed", "4-6 claimed"])
    child.finish().expect("")
    #expect(try scratch.fates(ids[0]) == ["1 ready", "2 done", "3 ready", "4-6 claimed"])
    #expect(try scratch.pipe("batch", "--dry-run").objects().map { $0["attempt"] as? Int } == [1])
  }

  @Test("a later line settles the rest of a claim")
  func rest() throws {
    let (none, one) = (line(0, #""items":[]"#), line(0, #""items":[{"id":"\#(ids[0])","item":3}]"#))
    try scratch.pipe("ack", input: none + one + none + line(0, #""x":0"#)).expect("")
    #expect(try scratch.fates(ids[0]) == ["1-3 done", "4-6 claimed"])
    try scratch.pipe("ack", input: line(1, #""items":[]"#)).expect("")
    #expect(try scratch.fates(ids[0]) == ["1-3 done", "4-6 ready"])
  }

  @Test("ack refuses invalid lines by number and settles the others")
  func rubbish() throws {
    let input = [
      "rubbish", "[]", #"{"claim":1}"#, batches[0], #"{"items":[]}"#,
      #"{"claim":"\#(claim(1))","result":"maybe"}"#, #"{"claim":"\#(claim(1))","items":{}}"#,
      #"{"claim":"\#(claim(1))","items":[{"id":"\#(ids[0])"}]}"#,
      #"{"claim":"\#(claim(1))","items":[{"id":"\#(ids[0])","item":0}]}"#, batches[2],
    ]
    let run = try scratch.pipe("ack", input: input.joined(separator: "\n"))
    let errors = [
      "1: byte 1: expected a value", "2: not a batch line: it has no claim",
      "3: byte 10: claim is not a ULID", "5: not a batch line: it has no claim",
      "6: byte 48: result must be ok, retry or bury", "7: byte 47: items is not an array",
      "8: byte 48: an item needs id and item", "9: byte 90: item must be a positive integer",
    ]
    let told = errors.map { "pipe ack: stdin:\($0)\n" }.joined()
    run.expect("", errors: told + "pipe ack: 8 of 10 lines rejected\n", status: 65)
    // Only the token of the second claim could be read: the claim is given back.
    #expect(try scratch.fates(ids[0]) == ["1-3 done", "4-6 ready"])
    #expect(try scratch.fates(ids[1]) == ["1 done"])
  }

  @Test("ack refuses items that are not in the claim")
  func foreignItem() throws {
    let items = #""items":[{"id":"\#(ids[0])","item":4},{"id":"\#(ids[0])","item":1}]"#
    try scratch.pipe("ack", input: line(0, items)).expect(
      "", errors: "pipe ack: claim \(claim(0)) has no item 4 of \(ids[0]) to settle\n", status: 65)
    #expect(try scratch.fates(ids[0]) == ["1 done", "2-3 ready", "4-6 claimed"])
  }

  @Test("ack exits with 76 for a claim that is unknown or settled, and settles the others")
  func lostClaims() throws {
    let unknown = "01M7YFR55BHYP5BSPG0DPTADCJ"
    let input = [batches[0], #"{"claim":"\#(unknown)"}"#, batches[0], batches[1]]
    try scratch.pipe("ack", input: input.joined(separator: "\n")).expect(
      "", errors: lost(unknown) + lost(claim(0)), status: 76)
    #expect(try scratch.fates(ids[0]) == ["1-6 done"])
    try scratch.pipe("ack", claim(1), claim(2)).expect("", errors: lost(claim(1)), status: 76)
    #expect(try scratch.fates(ids[1]) == ["1 done"])
  }

  @Test("ack --tee writes each line unchanged once it is settled, and no refused line")
  func tee() throws {
    let odd = batches[0].replacingOccurrences(of: #""attempt""#, with: #" "x" : 1.0 ,"attempt""#)
    let child = try scratch.start("ack", "--tee")
    child.feed(odd + "\n")
    #expect(child.line() == odd)
    #expect(try scratch.fates(ids[0]) == ["1-3 done", "4-6 claimed"])
    child.feed(batches[0] + "\n" + "rubbish\n" + batches[2])
    let run = child.finish()
    #expect(run.lines == [odd, batches[2]], run.story)
    run.expect(errors: nil, status: 76)
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("batch --hold")
struct BatchHoldTests {
  private let scratch: Scratch
  private let id: String

  init() throws {
    scratch = try Scratch()
    id = try scratch.store(#"{"ids":[1,2,3,4,5]}"#)[0]
  }

  @Test("batch --hold ends at once, and its claim lasts until it is settled")
  func settled() throws {
    let line =
      "x=$(pipe batch -n 1 --hold 10m); pipe consume; pipe list --state claimed | wc -l; pipe ack \"$x\""
    try scratch.sh(line).expect("4\n5\n1\n")
    #expect(try scratch.words(id) == ["completed", "completed", "completed"])
  }

  @Test("ack settles a part of a held claim by its token and makes the rest ready")
  func parts() throws {
    let batch = try scratch.one("batch", "-n", "1", "--hold", "10m")
    let claim = try #require(batch["claim"] as? String)
    let some = #"{"claim":"\#(claim)","items":[{"id":"\#(id)","item":2}]}"#
    try scratch.pipe("ack", input: some + "\n").expect("")
    #expect(try scratch.fates(id) == ["1 ready", "2 done", "3-5 ready"])
    try scratch.sh("pipe consume --size 5 -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect(
      "1\n3\n4\n5\n1\n")
  }

  @Test("a held claim expires with its attempt counted, and can no longer be settled")
  func expires() throws {
    let start = uptime()
    let batch = try scratch.one("batch", "-n", "1", "--size", "5", "--hold", "500ms")
    let child = try scratch.start("consume", "--follow", "-n", "1", "--size", "5", "--envelope")
    let line = try #require(child.line())
    #expect(uptime() >= start + 0.5)
    #expect(line.object.data == [1, 2, 3, 4, 5] && line.object["attempt"] as? Int == 2)
    child.finish().expect()
    let claim = batch["claim"] as? String ?? "none"
    try scratch.pipe("ack", claim).expect("", errors: nil, status: 76)
    #expect(try scratch.words(id) == ["completed", "completed", "completed"])
  }

  @Test("an expired claim is refused even before another process takes its items")
  func expiredUnseen() throws {
    let batch = try scratch.one("batch", "-n", "1", "--hold", "0s")
    try scratch.pipe("ack", batch["claim"] as? String ?? "none").expect("", errors: nil, status: 76)
    #expect(try scratch.fates(id) == ["1-3 ready", "4-5 ready"])
    try scratch.pipe("consume").expect("1\n2\n3\n4\n5\n")
  }

  @Test("explain shows a held claim as claimed by the clock")
  func explained() throws {
    try scratch.prepare("batch", "-n", "1", "--hold", "10m")
    let run = try scratch.runs(id)[0]
    #expect(run["state"] as? String == "claimed" && run["attempt"] as? Int == 1)
    #expect(run["holder"] is NSNull && run["until"] is String)
    try scratch.sh("pipe explain \(id) | grep -c 'claimed by pipe batch --hold until'").expect(
      "1\n")
    #expect(try scratch.words(id) == ["triggered", "triggered", "yet_to_start"])
  }

  @Test("batch --hold gives back items that it could not write")
  func full() throws {
    try scratch.sh("pipe batch --hold 10m > /dev/full").expect(errors: nil, status: 75)
    try scratch.sh("pipe consume --size 5 -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect(
      "1\n2\n3\n4\n5\n1\n")
  }

  @Test("no other ack settles a held claim while it is being buried", .needsStrace)
  func contended() throws {
    let claim = try scratch.sh("pipe batch --size 5 -n 1 --hold 1h | jq -r .claim").lines[0]
    // It stops between the takeover of the claim and the first dead letter.
    let slow = try scratch.startStopped(at: "fsync", "ack", "--bury", claim)
    try scratch.pipe("ack", claim).expect("", errors: nil, status: 76)
    slow.signal(SIGCONT)
    slow.finish().expect("")
    #expect(try scratch.fates(id) == (1...5).map { "\($0) dead" })
  }
}

import Foundation
import Testing

@Suite("batch --hold")
struct HoldTests {
  private let scratch: Scratch
  private let id: String

  init() throws {
    scratch = try Scratch()
    id = try scratch.store(#"{"ids":[1,2,3,4,5]}"#)[0]
  }

  @Test("ends at once, and the claim stays until it is settled")
  func settled() throws {
    let line =
      "x=$(pipe batch -n 1 --hold 10m); pipe consume; pipe list --state claimed | wc -l; pipe ack \"$x\""
    try scratch.sh(line).expect("4\n5\n1\n")
    #expect(try scratch.words(id) == ["completed", "completed", "completed"])
  }

  @Test("can be settled in parts, and by its token")
  func parts() throws {
    let batch = try scratch.one("batch", "-n", "1", "--hold", "10m")
    let claim = try #require(batch["claim"] as? String)
    let some = #"{"claim":"\#(claim)","items":[{"id":"\#(id)","item":2}]}"#
    try scratch.pipe("ack", input: some + "\n").expect("")
    #expect(try scratch.fates(id) == ["1 ready", "2 done", "3-5 ready"])
    try scratch.sh("pipe consume --size 5 -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect(
      "1\n3\n4\n5\n1\n")
  }

  @Test("comes back by the clock, its attempt counted, and can be settled no more")
  func expires() throws {
    let start = uptime()
    let batch = try scratch.one("batch", "-n", "1", "--hold", "500ms")
    let child = try scratch.start("consume", "--follow", "-n", "2", "--size", "3", "--envelope")
    #expect(child.line()?.object.data == [4, 5])
    let line = try #require(child.line())
    #expect(uptime() >= start + 0.5)
    #expect(line.object.data == [1, 2, 3] && line.object["attempt"] as? Int == 2)
    child.finish().expect()
    let claim = batch["claim"] as? String ?? "none"
    try scratch.pipe("ack", claim).expect("", errors: nil, status: 76)
    #expect(try scratch.words(id) == ["completed", "completed", "completed"])
  }

  @Test("that expired is refused also before anybody else has taken its items")
  func expiredUnseen() throws {
    let batch = try scratch.one("batch", "-n", "1", "--hold", "0s")
    try scratch.pipe("ack", batch["claim"] as? String ?? "none").expect("", errors: nil, status: 76)
    #expect(try scratch.fates(id) == ["1-3 ready", "4-5 ready"])
    try scratch.pipe("consume").expect("1\n2\n3\n4\n5\n")
  }

  @Test("is shown as held by the clock")
  func explained() throws {
    try scratch.prepare("batch", "-n", "1", "--hold", "10m")
    let run = try scratch.runs(id)[0]
    #expect(run["state"] as? String == "claimed" && run["attempt"] as? Int == 1)
    #expect(run["holder"] is NSNull && run["until"] is String)
    try scratch.sh("pipe explain \(id) | grep -c 'held\\|claimed by the clock, until'").expect(
      "1\n")
    #expect(try scratch.words(id) == ["triggered", "triggered", "yet_to_start"])
  }

  @Test("gives back what could not be written")
  func full() throws {
    try scratch.sh("pipe batch --hold 10m > /dev/full").expect(errors: nil, status: 75)
    try scratch.sh("pipe consume --size 5 -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect(
      "1\n2\n3\n4\n5\n1\n")
  }

  @Test("is settled by nobody else while it is being buried", .needs("strace"))
  func contended() throws {
    try scratch.sh("pipe batch --size 5 -n 1 --hold 1h | jq -r .claim > claim").expect()
    // Between taking it over and the first dead letter.
    try scratch.sh(
      """
      slow='-e trace=fsync -e inject=fsync:delay_enter=1s:when=1'
      strace -o /dev/null $slow pipe ack --bury $(cat claim) & slow=$!
      until ls queue/now | grep -q '[.]claim[.]'; do :; done
      pipe ack $(cat claim); echo $?; wait $slow; echo $?
      """
    ).expect("76\n0\n", errors: nil)
    #expect(try scratch.fates(id) == (1...5).map { "\($0) dead" })
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Runs that end in a fault")
struct FaultEndTests {
  private let scratch: Scratch

  /// Five records, followed by one whose segment is gone.
  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    try scratch.store(1...5)
    // Failed items return in batches of their own, without the record behind them.
    try scratch.sh("pipe consume -- false 2> errors").expect("", status: 1)
    try scratch.store(#"{"n":6,"priority":"LOW"}"#)
    try scratch.sh("rm queue/segments/LOW/000/000001").expect()
  }

  @Test("items that the reader of consume takes from the pipe are not delivered again")
  func consume() throws {
    let child = try scratch.start("consume")
    #expect(child.waitForOutput())
    let first = child.finish()
    #expect(!first.lines.isEmpty && first.ending != .exited(0), first.story)
    let second = try scratch.pipe("consume")
    #expect(!second.lines.contains(where: first.lines.contains), second.story)
  }

  @Test("items that a slow reader of consume takes bit by bit are not delivered again")
  func slow() throws {
    let line = "pipe consume 2> errors | (read -r n; echo $n; sleep 1; cat) | grep ."
    let first = try scratch.sh(line)
    #expect(first.lines.count >= 4, first.story)
    let second = try scratch.sh(line)
    #expect(!second.lines.contains(where: first.lines.contains), second.story)
  }

  @Test(
    "items in the pipe when a flush fails are acknowledged once the reader takes them",
    .needsStrace)
  func flush() throws {
    let inject = "strace -f -o /dev/null -e trace=fsync -e inject=fsync:error=EIO:when=1"
    let other = "pipe init -q other; seq 5 | pipe enqueue --raw --quiet -q other; "
    let run = try scratch.sh(
      other + "\(inject) pipe consume -q other | (sleep 1; cat); echo ${PIPESTATUS[0]}")
    run.expect("1\n2\n3\n4\n5\n74\n", errors: nil)
    try scratch.pipe("consume", "-q", "other").expect("")
  }

  @Test("items whose reader is gone are given back, no attempt counted")
  func gone() throws {
    let child = try scratch.start("consume")
    #expect(child.waitForOutput())
    child.closeOutput()
    #expect(child.finish().ending != .exited(0))
    let plan = try scratch.sh("pipe batch --dry-run -n 5 2> errors").objects()
    #expect(!plan.isEmpty && plan.allSatisfy { $0["attempt"] as? Int == 2 }, "\(plan)")
  }

  @Test("ack settles the items that batch has handed out before batch ends")
  func batch() throws {
    let run = try scratch.sh(
      "pipe batch | (sleep 1; cat) | pipe ack; echo ${PIPESTATUS[2]}")
    run.expect("0\n", errors: nil)
    #expect(!run.errors.contains("pipe ack"), run.story)
    #expect(try scratch.sh("pipe consume 2> errors").lines.isEmpty)
  }

  @Test("running commands are settled before consume ends")
  func commands() throws {
    let line = "pipe consume -j 3 -- sh -c 'sleep 1; cat' 2> errors | sort"
    try scratch.sh(line).expect("1\n2\n3\n4\n5\n")
    try scratch.sh(line).expect("")
  }
}

/// stdout is a pipe that this process may write to, but neither watch nor reopen.
@Suite("Pipes of another user", .needsAnotherUser)
struct OtherUserTests {
  private let scratch: Scratch
  /// Runs `pipe` as an unnamed user; the queue is in a directory of that user.
  private let other = "setpriv --reuid 54321 --regid 54321 --clear-groups ./pipe"

  init() throws {
    scratch = try Scratch()
    let line = "cp \(Binary.path) pipe; mkdir -m 777 theirs; chmod 755 . ..; "
    try scratch.sh(line + "seq 5 | \(other) enqueue --raw --quiet -q theirs/q").expect("")
  }

  @Test(
    "items that the reader takes from another user's pipe are acknowledged",
    arguments: ["cat", "sleep 1; cat"])
  func taken(reader: String) throws {
    let line = "\(other) consume -q theirs/q | (\(reader)); echo ${PIPESTATUS[0]}"
    try scratch.sh(line).expect("1\n2\n3\n4\n5\n0\n")
    try scratch.sh(line).expect("0\n")
  }

  @Test("more output than another user's pipe holds arrives complete")
  func large() throws {
    try scratch.sh("seq 6 60000 | \(other) enqueue --raw --quiet -q theirs/q").expect("")
    let line = "\(other) consume -q theirs/q | (sleep 1; cat) | cmp - <(seq 60000) && echo same"
    try scratch.sh(line).expect("same\n")
    try scratch.sh("\(other) consume -q theirs/q | wc -l").expect("0\n")
  }

  @Test("a follower acknowledges what the reader takes from another user's pipe, and keeps waiting")
  func follower() throws {
    let child = try scratch.start(
      ["bash", "-c", "exec \(other) consume --follow -q theirs/q"])
    #expect((1...5).map { _ in child.line() } == (1...5).map(String.init))
    try wait(
      until: { try scratch.sh("\(other) list -q theirs/q --state claimed").lines.isEmpty },
      "the acknowledgement")
    child.signal(SIGTERM)
    child.finish().expect()
  }

  @Test("a FIFO that may be written but not read works like a pipe")
  func fifo() throws {
    let line = """
      mkfifo -m 622 fifo; chmod 622 fifo
      (\(other) consume -q theirs/q > fifo; echo $? > status) & (sleep 1; cat) < fifo
      wait; cat status
      """
    try scratch.sh(line).expect("1\n2\n3\n4\n5\n0\n")
    try scratch.sh("\(other) consume -q theirs/q | cat").expect("")
  }

  @Test(
    "items that ack leaves out are ready again although batch cannot watch its stdout",
    .needs("jq"))
  func batch() throws {
    let line =
      "\(other) batch -q theirs/q -n 1 | jq -c --unbuffered '.items |= .[:2]'"
      + " | \(other) ack -q theirs/q"
    try scratch.sh(line).expect("")
    try scratch.sh("\(other) consume -q theirs/q").expect("3\n4\n5\n")
  }
}

extension Trait where Self == Needs {
  static var needsAnotherUser: Needs {
    Needs {
      let can = try? Scratch().sh("setpriv --reuid 54321 --regid 54321 --clear-groups true").ending
      return can == .exited(0) ? nil : "only root can be another user (setpriv)"
    }
  }
}

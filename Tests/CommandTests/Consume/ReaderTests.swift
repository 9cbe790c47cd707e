import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Readers of consume")
struct ReaderTests {
  @Test(
    "when the reader takes one line and exits, nothing is lost and the consumer dies of SIGPIPE")
  func head() throws {
    let scratch = try Scratch()
    let lines = (0..<200_000).map { "\($0)" }
    try scratch.pipe("enqueue", "--raw", "--quiet", input: lines.joined(separator: "\n")).expect("")
    try scratch.sh("pipe consume | head -n 1; echo ${PIPESTATUS[0]}").expect("0\n141\n")
    let rest = try scratch.pipe("consume").lines
    #expect(Array(lines.suffix(rest.count)) == rest, "the rest is not the end of what was stored")
    // head reads some kilobytes at a time: only what it took is gone.
    let taken = lines.dropLast(rest.count).reduce(0) { $0 + $1.utf8.count + 1 }
    #expect(taken > 0 && taken <= 1 << 16, "\(taken) bytes were taken")
  }

  @Test("when the reader takes nothing and exits, all items are given back as if never handed out")
  func takesNothing() throws {
    let scratch = try Scratch()
    try scratch.store("1", "2", "3")
    let child = try scratch.start("consume")
    #expect(child.waitForOutput())
    try scratch.sh("pipe list --state claimed | wc -l").expect("3\n")
    child.closeOutput()
    child.finish().expect("", ending: .killed(SIGPIPE))
    try scratch.sh("pipe consume -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect("1\n1\n2\n1\n3\n1\n")
  }

  @Test("a follower whose reader exits before anything is ready dies of SIGPIPE and loses nothing")
  func goneBefore() throws {
    let scratch = try Scratch()
    try scratch.pipe("init").expect("")
    let child = try scratch.start("consume", "--follow")
    try child.waitUntilWatching()
    child.closeOutput()
    child.finish().expect("", ending: .killed(SIGPIPE))
    try scratch.store("1")
    try scratch.pipe("consume").expect("1\n")
  }

  @Test("an item stays claimed until the reader takes it")
  func slow() throws {
    let scratch = try Scratch()
    let ids = try scratch.store("1")
    let child = try scratch.start("consume", "--follow")
    #expect(child.waitForOutput())
    let words = { try scratch.pipe("status", ids[0]).objects()[0]["status"] as? String }
    #expect(try words() == "triggered")
    #expect(child.line() == "1")
    try wait(until: { try words() == "completed" }, "the acknowledgement")
    child.signal(SIGTERM)
    child.finish().expect()
  }

  @Test("a full disk or a closed stdout gets nothing, and nothing is lost")
  func cannotWrite() throws {
    let scratch = try Scratch()
    try scratch.store("1", "2")
    try scratch.sh("pipe consume > /dev/full").expect(
      errors: "pipe consume: stdout: cannot write: No space left on device\n", status: 75)
    try scratch.sh("pipe consume >&-").expect(
      errors: "pipe consume: stdout: cannot write: Bad file descriptor\n", status: 74)
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("consume may write to a file")
  func file() throws {
    let scratch = try Scratch()
    try scratch.store("1", "2")
    try scratch.sh("pipe consume >> out; cat out").expect("1\n2\n")
    try scratch.pipe("list").expect("")
  }
}

@Suite("consume --follow")
struct FollowTests {
  @Test("a follower wakes for each new entry")
  func wakes() throws {
    let scratch = try Scratch()
    try scratch.pipe("init").expect("")
    let child = try scratch.start("consume", "--follow")
    for number in 0..<20 {
      try scratch.store("\(number)")
      #expect(child.line() == "\(number)")
    }
    child.signal(SIGTERM)
    child.finish().expect()
  }

  @Test("a follower creates the queue and runs its command for new entries")
  func creates() throws {
    let scratch = try Scratch()
    let child = try scratch.start("consume", "--follow", "-n", "2", "--", "cat")
    try child.waitUntilWatching()
    #expect(scratch.mode("queue/format") == 0o600)
    try scratch.store("1", "2", "3")
    child.finish().expect("1\n2\n")
    try scratch.pipe("consume").expect("3\n")
  }

  @Test("a follower wakes for items that another consumer gives back")
  func givenBack() throws {
    let scratch = try Scratch()
    try scratch.store("1")
    let other = try scratch.start("consume")
    #expect(other.waitForOutput())
    let child = try scratch.start("consume", "--follow", "-n", "1")
    try child.waitUntilWatching()
    other.closeOutput()
    #expect(child.line() == "1")
    child.finish().expect()
    #expect(other.reap() == .killed(SIGPIPE))
  }

  @Test("a follower runs failed items again when they are due")
  func retries() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1ms..1ms")
    try scratch.store("1")
    let tries = "cat; echo $PIPE_ATTEMPT; test $PIPE_ATTEMPT = 3"
    let child = try scratch.start("consume", "--follow", "-n", "3", "--", "sh", "-c", tries)
    child.finish().expect("1\n1\n1\n2\n1\n3\n", errors: nil, status: 1)
  }
}

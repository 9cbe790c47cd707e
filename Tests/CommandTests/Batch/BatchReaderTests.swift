import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Readers of batch")
struct BatchReaderTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    let lines = (1...12).map { "\($0)\n" }
    try scratch.prepare("enqueue", "--raw", "--quiet", input: lines.joined())
  }

  private let all = (1...12).map { "\($0)\n" }.joined()

  @Test("all unsettled items are ready again soon after the reader of batch exits")
  func gone() throws {
    try scratch.sh("pipe batch | head -n 1 | jq .items[].data; echo ${PIPESTATUS[0]}").expect(
      "1\n2\n3\n141\n", errors: nil)
    try scratch.pipe("consume").expect(all)
  }

  @Test("ack settles the batches it received when the filter before it exits early")
  func head() throws {
    let (batch, ack) = (try scratch.start("batch"), try scratch.start("ack"))
    for _ in 0..<2 { ack.feed(try #require(batch.line()) + "\n") }
    ack.endInput()
    // Stopped, batch cannot take its claims back before ack has run.
    try batch.waitUntilIdle()
    batch.signal(SIGSTOP)
    try batch.waitUntilStopped()
    batch.closeOutput()
    ack.finish().expect("")
    batch.signal(SIGCONT)
    batch.finish().expect(errors: nil, ending: .killed(SIGPIPE))
    try scratch.pipe("consume").expect((7...12).map { "\($0)\n" }.joined())
  }

  @Test("a reader of batch that takes no line counts no attempt")
  func tookNothing() throws {
    let child = try scratch.start("batch")
    #expect(child.waitForOutput())
    child.closeOutput()
    child.finish().expect(ending: .killed(SIGPIPE))
    try scratch.sh("pipe consume -n 1 --size 12 -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect(
      all + "1\n")
  }

  @Test("a reader of batch that takes a line and exits counts an attempt")
  func tookOne() throws {
    let child = try scratch.start("batch", "-n", "1")
    #expect(child.line()?.object.data == [1, 2, 3])
    child.closeOutput()
    child.finish().expect(
      errors: "pipe batch: the pipeline ended without settling 3 items\n",
      ending: .killed(SIGPIPE))
    try scratch.sh("pipe consume -n 1 --size 12 -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect(
      "1\n2\n3\n2\n")
  }

  @Test("batch hands out all batches before the first is settled")
  func parallel() throws {
    let child = try scratch.start("batch", "--size", "2")
    let lines = (0..<6).compactMap { _ in child.line() }
    #expect(lines.flatMap(\.object.data) == Array(1...12))
    for line in lines.reversed() { try scratch.pipe("ack", line).expect("") }
    child.finish().expect()
    try scratch.pipe("list").expect("")
  }

  @Test("items that a killed ack has not settled are ready again")
  func ackKilled() throws {
    let child = try scratch.start("batch")
    let lines = (0..<4).compactMap { _ in child.line() }
    let ack = try scratch.start("ack", "--tee")
    ack.feed(lines[0] + "\n" + lines[1] + "\n")
    #expect([ack.line(), ack.line()] == [lines[0], lines[1]])
    ack.feed(String(lines[2].dropLast(5)))
    ack.signal(SIGKILL)
    #expect(ack.reap() == .killed(SIGKILL))
    child.closeOutput()
    child.finish().expect(
      errors: "pipe batch: the pipeline ended without settling 6 items\n",
      ending: .killed(SIGPIPE))
    try scratch.pipe("consume").expect((7...12).map { "\($0)\n" }.joined())
  }

  @Test("an ack that comes after batch was killed exits with 76")
  func late() throws {
    let child = try scratch.start("batch", "-n", "1")
    let line = try #require(child.line())
    let claim = line.object["claim"] as? String ?? "none"
    child.signal(SIGKILL)
    #expect(child.reap() == .killed(SIGKILL))
    let why = "is no longer held: it was already settled, or its holder is gone"
    try scratch.pipe("ack", input: line).expect(
      "", errors: "pipe ack: claim \(claim) \(why)\n", status: 76)
    try scratch.pipe("consume").expect(all)
    try scratch.pipe("ack", claim).expect("", errors: nil, status: 76)
  }

  @Test("batch warns about a reader that holds lines back")
  func buffers() throws {
    let child = try scratch.start("batch", "--follow", "--size", "6")
    let lines = [child.line() ?? "", child.line() ?? ""]
    let hint = try #require(child.errorLine())
    #expect(
      hint.hasPrefix("pipe batch: 2 batches are not settled: does every filter before pipe ack"))
    #expect(hint.contains("(jq --unbuffered, sed -u)"))
    try scratch.pipe("ack", input: lines.joined(separator: "\n")).expect("")
    child.signal(SIGTERM)
    child.finish().expect(errors: nil)
  }

  @Test("batch gives its items back when its terminal closes", .needs("python3"))
  func terminal() throws {
    let script = """
      import os, pty, signal
      process, terminal = pty.fork()
      if process == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL) # nohup(1) leaves it ignored.
        os.execvp("pipe", ["pipe", "batch", "--follow"])
      got = b""
      while b"\\n" not in got: got += os.read(terminal, 4096)
      os.close(terminal)
      os.waitpid(process, 0)
      """
    try scratch.write(script, to: "close.py")
    try scratch.sh("python3 close.py").expect("")
    try scratch.pipe("consume").expect(all)
  }
}

import Foundation
import Testing

@Suite("the reader of batch")
struct BatchReaderTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    let lines = (1...12).map { "\($0)\n" }
    try scratch.prepare("enqueue", "--raw", "--quiet", input: lines.joined())
  }

  private let all = (1...12).map { "\($0)\n" }.joined()

  @Test("may be gone: a little later all is ready that is not settled")
  func gone() throws {
    try scratch.sh("pipe batch | head -n 1 | jq .items[].data; echo ${PIPESTATUS[0]}").expect(
      "1\n2\n3\n141\n", errors: nil)
    try scratch.pipe("consume").expect(all)
  }

  @Test("may be gone in the middle: what comes after it settles what it has got")
  func head() throws {
    try scratch.sh("pipe batch | head -n 2 | pipe ack; echo ${PIPESTATUS[*]}").expect(
      "141 0 0\n", errors: nil)
    try scratch.pipe("consume").expect((7...12).map { "\($0)\n" }.joined())
  }

  @Test("that never took a line leaves no trace: it was not attempted")
  func tookNothing() throws {
    let child = try scratch.start("batch")
    #expect(child.waitForOutput())
    child.closeOutput()
    child.finish().expect(ending: .killed(SIGPIPE))
    try scratch.sh("pipe consume -n 1 --size 12 -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect(
      all + "1\n")
  }

  @Test("that took a line and ended has tried it")
  func tookOne() throws {
    let child = try scratch.start("batch", "-n", "1")
    #expect(child.line()?.object.data == [1, 2, 3])
    child.closeOutput()
    child.finish().expect(
      errors: "pipe batch: the pipeline ended without an answer to 3 items\n",
      ending: .killed(SIGPIPE))
    try scratch.sh("pipe consume -n 1 --size 12 -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect(
      "1\n2\n3\n2\n")
  }

  @Test("is not waited for by the batches behind: all are handed out before the first is settled")
  func parallel() throws {
    let child = try scratch.start("batch", "--size", "2")
    let lines = (0..<6).compactMap { _ in child.line() }
    #expect(lines.flatMap(\.object.data) == Array(1...12))
    for line in lines.reversed() { try scratch.pipe("ack", line).expect("") }
    child.finish().expect()
    try scratch.pipe("list").expect("")
  }

  @Test("may be an ack that is killed: what it has not settled is ready again")
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
      errors: "pipe batch: the pipeline ended without an answer to 6 items\n",
      ending: .killed(SIGPIPE))
    try scratch.pipe("consume").expect((7...12).map { "\($0)\n" }.joined())
  }

  @Test("settles too late when batch was killed: it is told so with 76")
  func late() throws {
    let child = try scratch.start("batch", "-n", "1")
    let line = try #require(child.line())
    let claim = line.object["claim"] as? String ?? "none"
    child.signal(SIGKILL)
    #expect(child.reap() == .killed(SIGKILL))
    let why = "is not held any more: it was settled before, or its holder is gone"
    try scratch.pipe("ack", input: line).expect(
      "", errors: "pipe ack: claim \(claim) \(why)\n", status: 76)
    try scratch.pipe("consume").expect(all)
    try scratch.pipe("ack", claim).expect("", errors: nil, status: 76)
  }

  @Test("that keeps lines back is told what is wrong")
  func buffers() throws {
    let child = try scratch.start("batch", "--follow", "--size", "6")
    let lines = [child.line() ?? "", child.line() ?? ""]
    let hint = try #require(child.complaint())
    #expect(
      hint.hasPrefix("pipe batch: 2 batches are not settled: does each filter before pipe ack"))
    #expect(hint.contains("(jq --unbuffered, sed -u)"))
    try scratch.pipe("ack", input: lines.joined(separator: "\n")).expect("")
    child.signal(SIGTERM)
    child.finish().expect(errors: nil)
  }

  @Test("may be a terminal that is closed", .needs("python3"))
  func terminal() throws {
    let script = """
      import os, pty, sys
      process, terminal = pty.fork()
      if process == 0: os.execvp("pipe", ["pipe", "batch", "--follow"])
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

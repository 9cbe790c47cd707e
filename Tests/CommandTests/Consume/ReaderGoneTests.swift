import Foundation
import Glibc
import TestSupport
import Testing

/// The reader of stdout, to which commands write, and not `pipe` itself.
@Suite("Readers that exit")
struct ReaderGoneTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "0s..0s", "--retries", "1")
  }

  /// The attempts of the remaining items: all 1 if none was counted.
  private func attempts() throws -> Set<Int> {
    Set(
      try scratch.pipe("batch", "--dry-run", "--size", "1").objects()
        .compactMap { $0["attempt"] as? Int })
  }

  @Test(
    "a consumer whose reader is gone runs no further command and counts no attempt",
    arguments: [
      "consume --follow -- cat", "consume -j 4 -- cat", "consume --envelope --size 2 -- cat",
      // These survive the broken pipe and fail in a way of their own.
      "consume --follow -- sh -c 'trap \"\" PIPE; cat 2>&-'",
      "consume -- sh -c 'cat || exit 120'",
    ])
  func commands(line: String) throws {
    try scratch.store(count: 1000)
    let run = try scratch.sh("(pipe \(line); echo $? > status) 2> errors | head -n 1; cat status")
    #expect(run.lines.last == "141", run.story)
    #expect(try scratch.count("dead") == 0)
    let done = try scratch.count("done")
    #expect(try scratch.count("ready") == 1000 - done && done < 1000, run.story)
    #expect(try attempts() == [1])
  }

  @Test("a command that runs when the reader exits is waited for, and settled if it ends well")
  func running() throws {
    let gate = try Gate(scratch)
    try scratch.store("1", "2")
    let script = "echo started; read go < gate"
    let child = try scratch.start("consume", "--follow", "--", "sh", "-c", script)
    #expect(child.line() == "started")
    child.closeOutput()
    gate.letPass()
    child.finish().expect(ending: .killed(SIGPIPE))
    try scratch.pipe("consume").expect("2\n")
  }

  @Test(
    "an idle follower dies of SIGPIPE when its reader exits",
    arguments: [
      ["consume", "--follow", "--", "cat"], ["consume", "--follow", "--stream", "--", "cat"],
      ["batch", "--follow"], ["batch", "--follow", "--hold", "1m"],
      ["route", "--follow", "--to", "other"],
    ])
  func idle(arguments: [String]) throws {
    let child = try scratch.start([Binary.path] + arguments)
    try child.waitUntilWatching()
    child.closeOutput()
    child.finish().expect(ending: .killed(SIGPIPE))
    try scratch.store("1")
    try scratch.pipe("consume").expect("1\n")
  }

  @Test("the exit of a reader is noticed on a socket as on a pipe", .needs("python3"))
  func socket() throws {
    try scratch.store(count: 1000)
    let script = """
      import socket, subprocess
      ours, theirs = socket.socketpair()
      run = subprocess.Popen(["pipe", "consume", "--follow", "--", "cat"], stdout=theirs)
      theirs.close()
      ours.recv(1)
      ours.close()
      print(run.wait())
      """
    try scratch.sh("python3 -c '\(script)' 2> errors").expect("-13\n")
    #expect(try scratch.count("dead") == 0)
    #expect(try attempts() == [1])
  }

  @Test("a reader that exits during the last batch changes nothing")
  func late() throws {
    let gate = try Gate(scratch)
    try scratch.store("1", "2")
    let script = "echo started; read go < gate"
    let child = try scratch.start("consume", "-n", "1", "--", "sh", "-c", script)
    #expect(child.line() == "started")
    child.closeOutput()
    gate.letPass()
    child.finish().expect()
    try scratch.pipe("consume").expect("2\n")
  }

  @Test("a command that dies of its own SIGPIPE has failed as usual")
  func ownPipe() throws {
    try scratch.store("1")
    let run = try scratch.sh(
      "pipe consume -n 1 -- sh -c 'kill -PIPE $$' | cat; exit ${PIPESTATUS[0]}")
    run.expect("", errors: nil, status: 1)
    #expect(run.errors.contains("killed by signal 13 (attempt 1)"), run.story)
    #expect(try attempts() == [2])
  }
}

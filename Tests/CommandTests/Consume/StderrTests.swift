import Foundation
import Glibc
import TestSupport
import Testing

@Suite("stderr of the command")
struct StderrTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  @Test(
    "stderr is passed on as it comes, and all of it before the result of the command is reported")
  func passedOn() throws {
    try scratch.retriesAtOnce()
    let id = try scratch.store("1")[0]
    let gate = try Gate(scratch)
    let child = try scratch.start([
      Binary.path, "consume", "--", "sh", "-c",
      "echo one >&2; read go < gate; echo two >&2; exit 1",
    ])
    #expect(child.errorLine() == "one")
    gate.letPass()
    child.finish().expect(
      "", errors: "one\ntwo\npipe consume: \(id) item 1: exit 1 (attempt 1); ready again\n",
      status: 1)
  }

  @Test("stderr may be a mebibyte, even from several commands at once")
  func large() throws {
    try scratch.store("1", "2", "3", "4")
    try scratch.sh("pipe consume -j 3 -- sh -c 'head -c 1048576 /dev/zero >&2' 2>&1 | wc -c")
      .expect("4194304\n")
  }

  @Test("a consumer whose stderr is not read waits for the reader, and leaves no item behind")
  func unread() throws {
    let ids = try scratch.store("1", "2")
    // More than the pipe and the buffer hold together, but less than keeps the command from its end.
    let child = try scratch.start(line: "pipe consume -- sh -c 'head -c 150000 /dev/zero >&2'")
    try wait(until: { try scratch.words(ids[0])[0] == "completed" }, "the first item")
    let run = child.finish().expect("", errors: nil)
    #expect(run.errors.utf8.count == 300_000)
    try scratch.pipe("list").expect("")
  }

  @Test("a process that a command left behind can write to stderr while the consumer lives")
  func leftBehind() throws {
    try scratch.store("1", "2")
    let (gate, done) = (try Gate(scratch), try Gate(scratch, "done"))
    let first = "(read go < gate; echo late >&2; echo \"still here\" > done) > /dev/null & exit 0"
    let child = try scratch.start([
      Binary.path, "consume", "--", "sh", "-c",
      "read n; [ $n = 1 ] || { echo second; read line < done; echo $line; exit 0; }; \(first)",
    ])
    #expect(child.line() == "second")
    gate.letPass()
    child.finish().expect("second\nstill here\n", errors: "late\n")
    withExtendedLifetime(done) {}
  }

  @Test("stderr of a process left behind is passed on even if no command runs")
  func idle() throws {
    let gate = try Gate(scratch)
    let command = "(read go < gate; echo late >&2) > /dev/null & exit 0"
    let child = try scratch.start([
      Binary.path, "consume", "--follow", "--", "sh", "-c", command,
    ])
    try child.waitUntilWatching()
    try scratch.store("1")
    try wait(until: { try scratch.pipe("list").output.isEmpty }, "the acknowledgement")
    gate.letPass()
    #expect(child.errorLine() == "late")
    child.signal(SIGTERM)
    child.finish().expect("", errors: nil)
  }

  @Test("a command inherits only its standard streams and the lock from the consumer")
  func descriptors() throws {
    try scratch.store("1")
    let show = "for f in /proc/$$/fd/*; do [ ${f##*/} -le 2 ] || readlink $f || :; done"
    // The tests themselves may have inherited more descriptors than they know of. The shell has closed one of
    // those that it found: the directory in which it found them.
    let lines = "bash -c '\(show)' > before; pipe consume -- bash -c '\(show)' > after"
    try scratch.sh("\(lines); grep -vxFf before after").expect(
      "\(scratch.path)/queue/owners/0\n")
  }

  @Test(
    "stderr is discarded if the consumer's is closed, full or without a reader",
    arguments: ["2>&-", "2>/dev/full", "2>&1 >&3 3>&- | true"])
  func nowhere(how: String) throws {
    try scratch.store("1", "2")
    let command = "sh -c 'cat; head -c 200000 /dev/zero >&2; echo $?'"
    try scratch.sh("{ pipe consume -- \(command) \(how); } 3>&1").expect("1\n0\n2\n0\n")
    try scratch.pipe("list").expect("")
  }

  @Test("an unread stderr blocks commands, but not the consumer")
  func blocked() throws {
    let id = try scratch.store("1")[0]
    let command = "sh -c 'head -c 3000000 /dev/zero >&2; echo never'"
    // The consumer waits some seconds at its end, and then gives up.
    try scratch.sh(
      "mkfifo full; exec 3<>full; pipe consume --timeout 100ms -- \(command) 2>&3; echo $?"
    ).expect("1\n")
    #expect(try scratch.attempts() == ["1 2"], "\(id)")
  }
}

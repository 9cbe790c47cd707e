import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The command of consume")
struct ConsumeCommandTests {
  @Test("the command finds its attempt, id, priority, claim and queue in its environment")
  func environment() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    let ids = try scratch.store(
      #"{"ids":[1,2],"priority":"LOW"}"#, #"{"ids":[3],"priority":"LOW"}"#)
    let show = "env | grep ^PIPE_ | grep -v ^PIPE_CLAIM | sort; test ${#PIPE_CLAIM} = 26; exit 1"
    let mixed = try scratch.sh("PIPE_ID=old pipe consume --size 3 -- sh -c '\(show)'")
    let three = ["PIPE_ATTEMPT=1", "PIPE_PRIORITY=LOW", "PIPE_QUEUE=\(scratch.path)/queue"]
    mixed.expect(three.joined(separator: "\n") + "\n", errors: nil, status: 1)
    let run = try scratch.sh(
      "PIPE_ID=old pipe consume -q ./queue/ --size 2 -- sh -c '\(show)'", ["PIPE_QUEUE": "none"])
    let one = [
      "PIPE_ATTEMPT=2", "PIPE_ID=\(ids[0])", "PIPE_PRIORITY=LOW",
      "PIPE_QUEUE=\(scratch.path)/queue",
      "PIPE_ATTEMPT=2", "PIPE_ID=\(ids[1])", "PIPE_KEY=\(ids[1])", "PIPE_PRIORITY=LOW",
      "PIPE_QUEUE=\(scratch.path)/queue",
    ]
    run.expect(one.joined(separator: "\n") + "\n", errors: nil, status: 1)
  }

  @Test("the command has its own process group, no shell, and the consumer's stdout and stderr")
  func surroundings() throws {
    let scratch = try Scratch()
    try scratch.store("1")
    let run = try scratch.sh(
      "pipe consume -- sh -c 'cut -d \" \" -f 1,5 /proc/$$/stat; echo e >&2'")
    run.expect(errors: "e\n")
    let numbers = run.lines.first?.split(separator: " ") ?? []
    #expect(numbers.count == 2 && numbers.first == numbers.last, run.story)
    try scratch.store("2")
    try scratch.sh("pipe consume -- echo '$HOME;' '*' ''").expect("$HOME; * \n")
  }

  @Test("a command that exits with 0 acknowledges its item")
  func acknowledges() throws {
    let scratch = try Scratch()
    let id = try scratch.store("1")[0]
    try scratch.sh("pipe consume -- true").expect("")
    #expect(try scratch.pipe("status", id).objects()[0]["status"] as? String == "completed")
  }

  @Test(
    "a command that fails makes its batch ready again, once per run",
    arguments: [1, 2, 70, 128, 255])
  func fails(status: Int) throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    let ids = try scratch.store("1", "2")
    let run = try scratch.sh("pipe consume -- sh -c 'cat; exit \(status)'")
    let why = ids.map { "pipe consume: \($0) item 1: exit \(status) (attempt 1); ready again\n" }
    run.expect("1\n2\n", errors: why.joined(), status: 1)
    try scratch.sh("pipe consume -- sh -c 'cat; echo attempt $PIPE_ATTEMPT'").expect(
      "1\nattempt 2\n2\nattempt 2\n")
  }

  @Test("a failed command with several items is reported with its claim")
  func severalItems() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    let id = try scratch.store(#"{"ids":[1,2]}"#)[0]
    let run = try scratch.sh("pipe consume --size 2 -- sh -c 'echo $PIPE_CLAIM; exit 3'")
    let claim = run.lines.first ?? "none"
    run.expect(
      errors:
        "pipe consume: claim \(claim) (2 items from \(id) item 1): exit 3 (attempt 1); ready again\n",
      status: 1)
  }

  @Test("a command killed by a signal has failed")
  func killed() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    let id = try scratch.store("1")[0]
    try scratch.sh("pipe consume -- sh -c 'kill -9 $$'").expect(
      "", errors: "pipe consume: \(id) item 1: killed by signal 9 (attempt 1); ready again\n",
      status: 1)
    try scratch.pipe("consume").expect("1\n")
  }

  @Test(
    "a command whose status says it cannot work stops the consumer with 69, no attempt counted",
    arguments: [64, 69, 77, 78, 126, 127])
  func cannotWork(status: Int) throws {
    let scratch = try Scratch()
    let ids = try scratch.store("1", "2")
    try scratch.sh("pipe consume -- sh -c 'cat; exit \(status)'").expect(
      "1\n",
      errors: "pipe consume: sh: exit \(status); its batch was given back (2 items waiting)\n",
      status: 69)
    try untouched(scratch, ids)
  }

  @Test(
    "a command that cannot be executed stops the consumer with 69, no attempt counted",
    arguments: [
      ("./none", "No such file or directory"), ("no-such-program", "not found in PATH"),
      ("./file", "is not executable; run chmod +x ./file"),
      ("./work", "is a directory, not a command"),
    ])
  func cannotExecute(command: String, why: String) throws {
    let scratch = try Scratch()
    let ids = try scratch.store("1", "2")
    try scratch.sh("mkdir work; touch file; pipe consume -- \(command)").expect(
      "",
      errors: "pipe consume: \(command): \(why); its batch was given back (2 items waiting)\n",
      status: 69)
    try untouched(scratch, ids)
  }

  private func untouched(_ scratch: Scratch, _ ids: [String]) throws {
    for id in ids {
      #expect(try scratch.pipe("status", id).objects()[0]["status"] as? String == "yet_to_start")
    }
    try scratch.sh("pipe consume -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect("1\n1\n2\n1\n")
  }

  @Test(
    "consume refuses an empty command after -- and claims nothing",
    arguments: ["", "--stream", "-j 2", "--envelope", "--follow", "--timeout 1s"])
  func missing(options: String) throws {
    let scratch = try Scratch()
    try scratch.store("1", "2")
    let run = try scratch.sh("pipe consume \(options) -- $HANDLER", ["HANDLER": ""])
    run.expect("", errors: nil, status: 64)
    #expect(run.errors.hasPrefix("pipe consume: no command after --"), run.story)
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("the command need not read its stdin, however large")
  func readsNothing() throws {
    let scratch = try Scratch()
    let line = "\"" + String(repeating: "x", count: 1 << 19) + "\""
    try scratch.store(line, line, line, line)
    try scratch.sh("pipe consume --size 4 -- true").expect("")
    try scratch.pipe("list").expect("")
  }

  @Test("a failed item keeps its place before later entries")
  func keepsPlace() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    try scratch.store(#"{"ids":[1,2,3]}"#)
    try scratch.sh("pipe consume -- grep -v 2").expect("1\n3\n", errors: nil, status: 1)
    try scratch.store("4")
    try scratch.pipe("consume").expect("2\n4\n")
  }

  @Test("a command that exceeds --timeout is terminated and has failed, even if it exits with 0")
  func timeout() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    let id = try scratch.store("1")[0]
    let late = "pipe consume: \(id) item 1: timed out (attempt"
    try scratch.sh("pipe consume --timeout 50ms -- sleep 600").expect(
      "", errors: "\(late) 1); ready again\n", status: 1)
    let polite = "trap \"exit 0\" TERM; sleep 600 & wait"
    try scratch.sh("pipe consume --timeout 50ms -- sh -c '\(polite)'").expect(
      "", errors: "\(late) 2); ready again\n", status: 1)
    try scratch.sh("pipe consume --timeout 10m -- cat").expect("1\n")
  }

  @Test("a command that ignores SIGTERM is killed with all its children")
  func stubborn() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    let id = try scratch.store("1")[0]
    // Its children hold stdout, so the run ends when all of them are dead.
    let stubborn = "trap \"\" TERM; sleep 600 & sleep 600"
    try scratch.sh("PIPE_TEST_PATIENCE=100 pipe consume --timeout 50ms -- sh -c '\(stubborn)'")
      .expect(
        "", errors: "pipe consume: \(id) item 1: timed out (attempt 1); ready again\n", status: 1)
  }

  @Test("children that ignore SIGTERM are killed after their command died of it at --timeout")
  func stubbornRest() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    let id = try scratch.store("1")[0]
    // The run ends when no process holds stdout.
    let command = "(trap \"\" TERM; sleep 600; echo never) & wait"
    try scratch.sh("PIPE_TEST_PATIENCE=100 pipe consume --timeout 50ms -- sh -c '\(command)'")
      .expect(
        "", errors: "pipe consume: \(id) item 1: timed out (attempt 1); ready again\n", status: 1)
    try scratch.sh("pipe consume --timeout 50ms -- sh -c 'sleep 600 & wait'").expect(
      "", errors: "pipe consume: \(id) item 1: timed out (attempt 2); ready again\n", status: 1)
  }

  @Test("a consumer settles a command that ended before the search for more items", .needsStrace)
  func early() throws {
    let scratch = try Scratch()
    try scratch.store("1")
    // The consumer goes on once the command has ended; SIGCHLD comes before it looks for a second item.
    let calls = "clone,clone3,vfork"
    let strace = "strace -f -qq -o /dev/null -e trace=\(calls) -e inject=\(calls):delay_exit=300000"
    try scratch.sh("\(strace) pipe consume -j 2 -- true").expect()
    #expect(try scratch.sh("pipe list --state done | wc -l").expect(nil).output == "1\n")
  }
}

import Foundation
import Testing

@Suite("a command on a terminal", .needs("python3"))
struct TerminalTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.store("1")
  }

  private let asks = "echo ready; read answer < /dev/tty; echo got $answer"

  private func typed(
    _ command: [String], _ steps: [(after: String, text: String)]
  ) throws -> Run {
    try Terminal.run(scratch, command, typing: steps)
  }

  @Test("reads what is typed there, and is acknowledged")
  func reads() throws {
    let run = try typed(["pipe", "consume", "--", "sh", "-c", asks], [("ready", "yes\n")])
    run.expect(nil)
    #expect(run.output.contains("got yes\n") && run.output.hasSuffix("status 0\n"), run.story)
    try scratch.pipe("consume").expect("")
  }

  @Test("reads what is typed there also where it is the worker of --stream")
  func stream() throws {
    let worker = "while read -r line; do { \(asks); } >&2; echo \"$line\"; done"
    let run = try typed(
      ["pipe", "consume", "--stream", "--", "bash", "-c", worker], [("ready", "yes\n")])
    run.expect(nil)
    #expect(run.output.contains("got yes\n") && run.output.hasSuffix("status 0\n"), run.story)
    try scratch.pipe("consume").expect("")
  }

  @Test("may change how the terminal works")
  func changesModes() throws {
    let run = try typed(
      ["pipe", "consume", "--", "sh", "-c", "stty -echo < /dev/tty && \(asks)"],
      [("ready", "yes\n")])
    run.expect(nil)
    #expect(run.output.hasSuffix("got yes\nstatus 0\n"), run.story)
  }

  @Test("is interrupted by Ctrl-C with the consumer, and its item is as if never tried")
  func interrupted() throws {
    try scratch.store("2")
    let run = try typed(["pipe", "consume", "--", "sh", "-c", asks], [("ready", "\u{3}")])
    run.expect(nil)
    #expect(run.output.hasSuffix("status -2\n"), run.story)
    try scratch.sh("pipe consume -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect("1\n1\n2\n1\n")
  }

  @Test("that takes Ctrl-C for its own use is settled, and nothing more is started")
  func handlesInterrupt() throws {
    try scratch.store("2")
    let run = try typed(
      ["pipe", "consume", "--", "sh", "-c", "trap 'echo bye; exit 0' INT; \(asks)"],
      [("ready", "\u{3}")])
    run.expect(nil)
    #expect(run.output.contains("bye\n") && run.output.hasSuffix("status 0\n"), run.story)
    try scratch.pipe("consume").expect("2\n")
  }

  @Test("is stopped by Ctrl-Z with the consumer, and goes on with it")
  func suspended() throws {
    let script = #"set -m; pipe consume -- sh -c "$1"; echo suspended; fg; echo continued"#
    let run = try typed(
      ["bash", "-c", script, "-", asks], [("ready", "\u{1a}"), ("suspended", "yes\n")])
    run.expect(nil)
    #expect(run.output.contains("got yes\ncontinued\n"), run.story)
    try scratch.pipe("consume").expect("")
  }

  @Test(
    "that others run beside, or that has a time limit, fails with a line instead of waiting for ever",
    arguments: [["-j", "2"], ["--timeout", "10m"]])
  func background(options: [String]) throws {
    let run = try typed(["pipe", "consume"] + options + ["--", "sh", "-c", asks], [])
    run.expect(nil)
    #expect(
      run.output.contains("item 1: wants the terminal (attempt 1); again in ")
        && run.output.contains("pipe consume: a command can use the terminal while")
        && run.output.hasSuffix("status 1\n"), run.story)
    try scratch.pipe("consume", "--follow", "-n", "1").expect("1\n")
  }

  @Test("that is the worker of --stream with a time limit fails with a line too")
  func streamInBackground() throws {
    let run = try typed(
      [
        "pipe", "consume", "--stream", "--timeout", "10m", "--", "sh", "-c",
        "read line; { \(asks); } >&2",
      ],
      [])
    run.expect(nil)
    #expect(
      run.output.contains("sh: wants the terminal; 1 item without an answer again in ")
        && run.output.hasSuffix("status 1\n"), run.story)
  }
}

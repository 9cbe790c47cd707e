import Foundation
import TestSupport
import Testing

@Suite("Commands on a terminal", .needs("python3"))
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

  @Test("a command reads what is typed on the terminal, and is acknowledged")
  func reads() throws {
    let run = try typed(["pipe", "consume", "--", "sh", "-c", asks], [("ready", "yes\n")])
    run.expect(nil)
    #expect(run.output.contains("got yes\n") && run.output.hasSuffix("status 0\n"), run.story)
    try scratch.pipe("consume").expect("")
  }

  @Test("a --stream worker reads what is typed on the terminal")
  func stream() throws {
    let worker = "while read -r line; do { \(asks); } >&2; echo \"$line\"; done"
    let run = try typed(
      ["pipe", "consume", "--stream", "--", "bash", "-c", worker], [("ready", "yes\n")])
    run.expect(nil)
    #expect(run.output.contains("got yes\n") && run.output.hasSuffix("status 0\n"), run.story)
    try scratch.pipe("consume").expect("")
  }

  @Test("a command may change the modes of the terminal")
  func changesModes() throws {
    let run = try typed(
      ["pipe", "consume", "--", "sh", "-c", "stty -echo < /dev/tty && \(asks)"],
      [("ready", "yes\n")])
    run.expect(nil)
    #expect(run.output.hasSuffix("got yes\nstatus 0\n"), run.story)
  }

  @Test("Ctrl-C interrupts the command and the consumer, and its item counts no attempt")
  func interrupted() throws {
    try scratch.store("2")
    let run = try typed(["pipe", "consume", "--", "sh", "-c", asks], [("ready", "\u{3}")])
    run.expect(nil)
    #expect(run.output.hasSuffix("status -2\n"), run.story)
    try scratch.sh("pipe consume -- sh -c 'cat; echo $PIPE_ATTEMPT'").expect("1\n1\n2\n1\n")
  }

  @Test("a command that handles Ctrl-C itself is settled, and nothing more is started")
  func handlesInterrupt() throws {
    try scratch.store("2")
    let run = try typed(
      ["pipe", "consume", "--", "sh", "-c", "trap 'echo bye; exit 0' INT; \(asks)"],
      [("ready", "\u{3}")])
    run.expect(nil)
    #expect(run.output.contains("bye\n") && run.output.hasSuffix("status 0\n"), run.story)
    try scratch.pipe("consume").expect("2\n")
  }

  @Test("Ctrl-Z stops the command with the consumer, and both continue together")
  func suspended() throws {
    let script = #"set -m; pipe consume -- sh -c "$1"; echo suspended; fg; echo continued"#
    let run = try typed(
      ["bash", "-c", script, "-", asks], [("ready", "\u{1a}"), ("suspended", "yes\n")])
    run.expect(nil)
    #expect(run.output.contains("got yes\ncontinued\n"), run.story)
    try scratch.pipe("consume").expect("")
  }

  @Test(
    "with -j or --timeout a command that wants the terminal fails with a line and does not hang",
    arguments: [["-j", "2"], ["--timeout", "10m"]])
  func background(options: [String]) throws {
    let run = try typed(["pipe", "consume"] + options + ["--", "sh", "-c", asks], [])
    run.expect(nil)
    #expect(
      run.output.contains("item 1: wants the terminal (attempt 1); retry in ")
        && run.output.contains("pipe consume: a command can use the terminal only")
        && run.output.hasSuffix("status 1\n"), run.story)
    try scratch.pipe("consume", "--follow", "-n", "1").expect("1\n")
  }

  @Test("with --timeout a --stream worker that wants the terminal fails with a line, too")
  func streamInBackground() throws {
    let run = try typed(
      [
        "pipe", "consume", "--stream", "--timeout", "10m", "--", "sh", "-c",
        "read line; { \(asks); } >&2",
      ],
      [])
    run.expect(nil)
    #expect(
      run.output.contains("sh: wants the terminal; 1 item unanswered, retry in ")
        && run.output.hasSuffix("status 1\n"), run.story)
  }
}

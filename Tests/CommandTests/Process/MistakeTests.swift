import Foundation
import TestSupport
import Testing

@Suite("Mistakes of newcomers")
struct MistakeTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init")
    try scratch.store("1", "2")
  }

  struct Mistake: CustomTestStringConvertible {
    let line: String
    let message: String
    let status: Int32

    init(_ line: String, _ message: String, _ status: Int32 = 64) {
      (self.line, self.message, self.status) = (line, message, status)
    }

    var testDescription: String { line }
  }

  @Test(
    "a mistyped command line gets one line that says what to type",
    arguments: [
      Mistake("consme", "pipe: there is no command consme; did you mean pipe consume?"),
      Mistake("enque", "pipe: there is no command enque; did you mean pipe enqueue?"),
      Mistake("stat", "pipe: there is no command stat; did you mean pipe stats?"),
      Mistake("push", "pipe: there is no command push; did you mean pipe enqueue?"),
      Mistake("LIST", "pipe: there is no command LIST; did you mean pipe list?"),
      Mistake("''", "pipe: there is no command ''; pipe --help lists the commands"),
      Mistake("list -qx", "pipe list: Unknown option '-qx' (see pipe list --help)"),
      Mistake(
        "submit --prio high ls",
        "pipe submit: Unknown option '--prio'. Did you mean '--priority'? (see pipe submit --help)"
      ),
      Mistake(
        "enqueue --priority high",
        "pipe enqueue: Unknown option '--priority'"
          + " (an option of pipe ingest: pipe ingest --priority high | pipe enqueue)"),
      Mistake(
        "enqueue --text --reject bad",
        "pipe enqueue: Unknown option '--reject'"
          + " (an option of pipe ingest: pipe ingest --text --reject bad | pipe enqueue)"),
      Mistake("wait", "pipe: there is no command wait; did you mean pipe status?"),
      Mistake("ls", "pipe: there is no command ls; did you mean pipe list?"),
      Mistake("frobnicate", "pipe: there is no command frobnicate; pipe --help lists the commands"),
      Mistake(
        "help consme", "pipe help: there is no command consme; did you mean pipe help consume?"),
      Mistake("-q q list", "pipe: options go after the command: pipe list -q q"),
      Mistake("--frob", "pipe: --frob: a command goes first (see pipe --help)"),
      Mistake(
        "consume grep -v 1",
        "pipe consume: Unknown option '-v' (a command goes after --: pipe consume -- grep -v 1)"),
      Mistake(
        "consume -q q sort",
        "pipe consume: Unexpected argument 'sort'"
          + " (a command goes after --: pipe consume -q q -- sort)"),
      Mistake(
        "list --stat ready",
        "pipe list: Unknown option '--stat'. Did you mean '--state'? (see pipe list --help)"),
      Mistake(
        "list queue",
        "pipe list: Unexpected argument 'queue' (a queue goes after -q: pipe list -q queue)"),
      Mistake(
        "enqueue lines",
        "pipe enqueue: Unexpected argument 'lines' (enqueue reads stdin: pipe enqueue < lines)"),
      Mistake(
        "enqueue nowhere.txt",
        "pipe enqueue: Unexpected argument 'nowhere.txt'"
          + " (enqueue reads stdin: pipe enqueue < nowhere.txt)"),
      Mistake(
        "stats other",
        "pipe stats: Unexpected argument 'other' (a queue goes after -q: pipe stats -q other)"),
      Mistake(
        "init jobs",
        "pipe init: Unexpected argument 'jobs' (a queue goes after -q: pipe init -q jobs)"),
      Mistake(
        "change --priority urgent 1",
        "pipe change: The value 'urgent' is invalid for '--priority <priority>'"
          + " (HIGH, MEDIUM or LOW)"),
      Mistake(
        "submit --at 23:00 ls",
        "pipe submit: The value '23:00' is invalid for '--at <time>'"
          + " (an RFC 3339 time since 1970, such as 2026-11-21T05:00:00Z or $(date -d 23:00 -Is))"),
      Mistake(
        "init --retain 5",
        "pipe init: The value '5' is invalid for '--retain <duration>'"
          + " (a duration needs a unit: 500ms 5s 10m 2h 7d)"),
      Mistake(
        "init --min-free 5MB",
        "pipe init: The value '5MB' is invalid for '--min-free <size>'"
          + " (a size is a number of bytes, or has a unit: 64KiB 1MiB 2GiB)"),
      Mistake(
        "consume -j 0 -- true",
        "pipe consume: The value '0' is invalid for '-j <jobs>' (a whole number from 1 on)"),
      Mistake(
        "cancel --priority urgent",
        "pipe cancel: The value 'urgent' is invalid for '--priority <priority>'"
          + " (HIGH, MEDIUM or LOW)"),
      Mistake("retry", "pipe retry: give ids or --all (see pipe retry --help)"),
      Mistake(
        "status 123",
        "pipe status: 123: not an id; enqueue prints ids: 26 digits and capital letters", 1),
      Mistake(
        "list --state waiting",
        "pipe list: The value 'waiting' is invalid for '--state <state>'"
          + " (give ready, claimed, later, dead, done or lost)"),
      Mistake(
        "consume --size 0",
        "pipe consume: The value '0' is invalid for '--size <n>' (a whole number from 1 on)"),
      Mistake(
        "enqueue --delay soon",
        "pipe enqueue: The value 'soon' is invalid for '--delay <duration>'"
          + " (a duration needs a unit: 500ms 5s 10m 2h 7d)"),
      Mistake(
        "enqueue --at tomorrow",
        "pipe enqueue: The value 'tomorrow' is invalid for '--at <time>'"
          + " (an RFC 3339 time since 1970, such as 2026-11-21T05:00:00Z or $(date -d 23:00 -Is))"),
      Mistake(
        "status",
        "pipe status: Missing expected argument '<id> ...'"
          + " (enqueue prints ids, and pipe list shows them)"),
      Mistake(
        "work -- ls",
        "pipe work: Unexpected argument 'ls' (pipe submit stores a command: pipe submit -- ls)"),
      Mistake(
        "batch -- cat",
        "pipe batch: Unexpected argument 'cat' (pipe consume runs a command: pipe consume -- cat)"),
      Mistake(
        "ack 123", "pipe ack: 123: neither a claim token nor a batch line; pipe batch prints both"),
      Mistake(
        "purge",
        "pipe purge: give ids, or --priority, --state, --match or --all (see pipe purge --help)"),
      Mistake("purge --all", "pipe purge: purge 2 items of 2 entries: confirm with --yes"),
      Mistake(
        "route error=d", "pipe route: VALUE=DIR needs --on FIELD (see pipe route --help)"),
      Mistake(
        "list -q lines", "pipe list: lines: is not a directory, so it is not a queue", 66),
      Mistake(
        "list -q .",
        "pipe list: .: is a directory but not a queue; pipe init makes a queue of an empty one", 66),
      Mistake(
        "serve --host 0.0.0.0",
        "pipe serve: 0.0.0.0:8000: is reachable from other machines, so --token-file is required"),
      Mistake(
        "consume --",
        "pipe consume: no command after --; is a variable empty? (see pipe consume --help)"),
      Mistake(
        "stats -q nowhere",
        "pipe stats: nowhere: no such queue; pipe init or pipe enqueue creates one", 66),
    ])
  func typed(mistake: Mistake) throws {
    try scratch.write("{}\n", to: "lines")
    try scratch.sh("pipe \(mistake.line)", input: "").expect(
      "", errors: mistake.message + "\n", status: mistake.status)
  }

  struct Handler: CustomTestStringConvertible {
    /// What makes the file `handler`.
    let making: String
    let reason: String

    init(_ making: String, _ reason: String) { (self.making, self.reason) = (making, reason) }

    var testDescription: String { making }
  }

  @Test(
    "a handler that cannot run says why, what to do, and how many items are left",
    arguments: [
      Handler(":", "No such file or directory"),
      Handler("mkdir handler", "is a directory, not a command"),
      Handler("echo > handler", "is not executable; run chmod +x ./handler"),
      Handler(
        "printf 'exit 0\\n' > handler; chmod +x handler",
        "has no #! line; begin the script with #!/bin/sh"),
      Handler(": > handler; chmod +x handler", "is an empty file"),
      Handler(
        "printf '#!/no/such -x\\nexit 0\\n' > handler; chmod +x handler",
        "its interpreter /no/such does not exist"),
      Handler(
        "printf '#!/bin/sh\\r\\nexit 0\\r\\n' > handler; chmod +x handler",
        "its first line ends with a carriage return; run sed -i 's/\\r$//' ./handler"),
    ])
  func handlers(handler: Handler) throws {
    try scratch.sh(handler.making).expect("")
    for options in ["", "--args", "--stream"] {
      try scratch.sh("pipe consume \(options) -- ./handler").expect(
        "",
        errors: "pipe consume: ./handler: \(handler.reason); its batch was given back"
          + " (2 items waiting)\n", status: 69)
    }
    // A job that cannot start says nothing about other jobs.
    try scratch.sh("pipe init -q jobs --retries 0; pipe submit -q jobs -- ./handler").expect(nil)
    try scratch.sh("pipe work -q jobs").expect("", errors: nil, status: 1)
    try scratch.sh("pipe dead -q jobs | jq -r .reason").expect(
      "cannot start: ./handler: \(handler.reason)\n")
  }

  @Test("a name without a slash is looked for in PATH only")
  func path() throws {
    try scratch.sh("pipe consume -- no-such-command").expect(
      "",
      errors: "pipe consume: no-such-command: not found in PATH; its batch was given back"
        + " (2 items waiting)\n", status: 69)
  }

  @Test("enqueue and ingest say at a terminal that they read it, unless enqueue is quiet")
  func terminal() throws {
    let notice = "reading lines from the terminal; ^D at the start of a line ends them"
    for command in ["enqueue --raw", "enqueue --text", "ingest"] {
      let run = try Terminal.run(
        scratch, ["bash", "-c", "pipe \(command)"], typing: [(notice, "{\"a\":1}\n\u{4}")])
      #expect(run.output.contains("\"a\":1"), run.story)
    }
    let quiet = try Terminal.run(
      scratch, ["bash", "-c", "echo go; pipe enqueue --raw --quiet"], typing: [("go", "1\n\u{4}")])
    #expect(!quiet.output.contains("reading"), quiet.story)
  }

  @Test("on a terminal, a run that leaves items for later says how many, and how to go on")
  func rest() throws {
    let notice = "2 items wait for a later time or another attempt:"
    try scratch.prepare("init", "--backoff", "1h..1h")
    let line = "pipe consume -- false; pipe consume; pipe consume --quiet"
    let run = try Terminal.run(scratch, ["bash", "-c", line], typing: [])
    let lines = run.output.split(whereSeparator: \.isNewline).map(String.init)
      .filter { $0.contains(notice) }
    let begin = "pipe consume: \(scratch.path("queue")): "
    let end = notice + " run this again then, or add --follow"
    #expect(lines == [begin + end, begin + "nothing is ready; " + end], run.story)
  }

  @Test("consume says that {} means nothing without --args")
  func braces() throws {
    try scratch.sh("pipe consume -n 1 -- echo {}").expect(
      "{}\n",
      errors: "pipe consume: {} is passed as it is; with --args, the item takes its place\n")
  }

  @Test("text with NUL bytes gets a line that names -0, and is stored as it is")
  func nul() throws {
    try scratch.sh("printf 'a\\0b\\0' | pipe enqueue --text --quiet -q names").expect(
      errors: "pipe enqueue: stdin: the first line holds NUL; with -0, items end with NUL\n")
    try scratch.sh("pipe consume --text -q names | od -An -c | tr -d ' '").expect("a\\0b\\0\\n\n")
  }

  @Test("a consumer that is interrupted at a terminal says what it waits for")
  func interrupted() throws {
    let gate = try Gate(scratch)
    let line = "pipe consume -j 2 -- bash -c 'echo began; read go < gate'"
    let run = try Terminal.run(
      scratch, ["bash", "-c", line],
      typing: [
        ("began", ""), ("began", "\u{3}"),
        ("to end, with 2 items unsettled; ^C again ends this at once", "!echo > gate; echo > gate"),
      ])
    #expect(run.output.contains("waiting for 2 commands"), run.story)
    withExtendedLifetime(gate) {}
  }
}

import TestSupport
import Testing

@Suite("The command line")
struct CommandLineTests {
  @Test(
    "an option means the same in each of its forms",
    arguments: [
      ("--raw --quiet -q one", "--quiet --raw --queue=one"), ("-q one --raw", "--raw --queue=one"),
      ("--raw --queue one", "--raw -q=one --wait 0s"),
      ("--raw --raw -q two -q one", "--raw -q two --queue=one"),
      ("-q one", "--queue=one --wait 0s"), ("--raw -q 'o n é'", "--raw --queue='o n é'"),
      ("--text -0 -q one", "--null -q=one --text"),
    ])
  func same(short: String, long: String) throws {
    let scratch = try Scratch()
    let inputs = ["1\n{\"a\":\n{\"ids\":[1]}\n", entryLine("01M7YFR55BHYP5BSPG0DPTADCJ"), "", "x"]
    for input in inputs {
      let runs = try [short, long].map { options in
        try scratch.sh(
          "rm -rf one two 'o n é'; pipe enqueue \(options); status=$?; ls; exit $status",
          input: input)
      }
      #expect(normalized(runs[0].output) == normalized(runs[1].output), runs[1].story)
      #expect(runs[0].errors == runs[1].errors, runs[1].story)
      #expect(runs[0].ending == runs[1].ending, runs[1].story)
    }
  }

  @Test(
    "a mistake in the options is refused",
    arguments: ["-q", "-q --raw", "--raw=yes", "--raw more", "--quiet -x", "-- --raw", "-rq one"])
  func refused(options: String) throws {
    let scratch = try Scratch()
    let run = try scratch.sh("pipe enqueue \(options)", input: "1\n", ["PIPE_QUEUE": ""])
    run.expect("", errors: nil, status: 64)
  }

  @Test("all ways to ask for help print the same, even after a mistake")
  func help() throws {
    let scratch = try Scratch()
    let help = try scratch.pipe("enqueue", "--help").expect()
    try scratch.pipe("enqueue", "--raw", "--quiet", "--help").expect(help.output)
    try scratch.pipe("enqueue", "--no-such-option", "-h").expect(help.output)
    try scratch.pipe("help", "enqueue").expect(help.output)
    try scratch.pipe("help", "--help").expect(scratch.pipe("--help").output)
    try scratch.pipe("enqueue", "--version").expect("0.2.0\n")
  }

  @Test("help is wrapped at the width of its terminal", .needs("tmux"))
  func wrapped() throws {
    let window = try Window(Scratch(), columns: 62, rows: 50)
    let lines = try window.run("pipe submit --help")
    #expect(
      lines.suffix(10) == [
        "  --priority <priority>   The priority of the command: HIGH,",
        "                          MEDIUM (the default) or LOW.",
        "  --delay <duration>      Make it ready after this delay.",
        "  --at <time>             Make it ready only at this RFC 3339",
        "                          time.",
        "  --env <name>            A variable of the environment to",
        "                          store, or NAME=value; PATH is always",
        "                          stored; may be repeated.",
        "  --version               Show the version.",
        "  -h, --help              Show help information.",
      ])
  }

  @Test(
    "a value may be joined to -n and -j, and the words of a command are not options",
    arguments: [
      ("-n2", "1\n2\n"), ("-n 2", "1\n2\n"), ("-n=2", "1\n2\n"),
      ("-j1 -- cat", "1\n2\n3\n"), ("-n1 -- sh -c 'cat; echo $1' sh --help", "1\n--help\n"),
      ("--keep 1KiB -- cat", "1\n2\n3\n"), ("--keep -- cat", "1\n2\n3\n"),
      ("--keep=1KiB -- cat", "1\n2\n3\n"),
    ])
  func joined(options: String, output: String) throws {
    let scratch = try Scratch()
    try scratch.store("1", "2", "3")
    try scratch.sh("pipe consume \(options)").expect(output)
  }

  @Test("an option that may be repeated takes each value, and any other the last one")
  func repeated() throws {
    let scratch = try Scratch()
    try scratch.store("1", "2")
    try scratch.sh("pipe consume --size 1 --size 2 -- wc -l").expect("2\n")
    try scratch.sh("pipe list --state done --state ready | wc -l").expect("2\n")
  }

  @Test("a value may begin with any character, and be empty")
  func values() throws {
    let scratch = try Scratch()
    try scratch.prepare("init")
    try scratch.sh("pipe pause --reason=$'\\u0301x'; pipe pause --reason=; pipe resume").expect()
    try scratch.sh("pipe submit --env $'A=\\u0301' true").expect(nil)
    try scratch.sh("pipe cancel --match $'k=\\u0301' --yes").expect(nil)
    try scratch.sh("pipe list --queue=").expect(
      "", errors: "pipe list: -q is empty; name a directory (see pipe list --help)\n", status: 64)
  }

  @Test(
    "advice about -- and = removes the mistake",
    arguments: [
      (
        "consume --tag date --timout 5s",
        "Unknown option '--timout'. Did you mean '--timeout'? (see pipe consume --help)"
      ),
      ("consume nosuch cat", "2 unexpected arguments: 'nosuch', 'cat' (see pipe consume --help)"),
      ("consume --keep 1MB -- cat", "Unexpected argument '1MB' (see pipe consume --help)"),
      (
        "pause --reason -because",
        "Missing value for '--reason <text>' (a value that begins with - follows a =: --reason=-because)"
      ),
      ("serve --port=+80", "The value '+80' is invalid for '--port <port>' (a whole number)"),
    ])
  func advice(line: String, message: String) throws {
    let run = try Scratch().sh("pipe \(line)")
    #expect(run.errors.hasSuffix(": \(message)\n") && run.ending == .exited(64), run.story)
  }

  @Test("a single - is a word, and words after -- are arguments")
  func dashes() throws {
    let scratch = try Scratch()
    try scratch.prepare("init")
    try scratch.pipe("status", "--", "--json").expect(
      "",
      errors: "pipe status: --json: not an id; enqueue prints ids: 26 digits and capital letters\n",
      status: 1)
  }
}

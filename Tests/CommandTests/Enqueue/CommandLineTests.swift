import TestSupport
import Testing

// `enqueue` bypasses the argument parser for the options that loops use.
@Suite("The command line of enqueue")
struct CommandLineTests {
  @Test(
    "the fast path and the argument parser do the same",
    arguments: [
      ("--raw --quiet -q one", "--quiet --raw --queue=one"), ("-q one --raw", "--raw --queue=one"),
      ("--raw --queue one", "--raw -q=one --wait 0s"),
      ("--raw --raw -q two -q one", "--raw -q two --queue=one"),
      ("-q one", "--queue=one --wait 0s"), ("--raw -q 'o n é'", "--raw --queue='o n é'"),
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
    "the fast path and the argument parser refuse the same mistakes",
    arguments: ["-q", "-q --raw", "--raw=yes", "--raw more", "--quiet -x", "-- --raw"])
  func refused(options: String) throws {
    let scratch = try Scratch()
    let run = try scratch.sh("pipe enqueue \(options)", input: "1\n", ["PIPE_QUEUE": ""])
    run.expect("", errors: nil, status: 64)
  }

  @Test("the fast path and the argument parser print the same help")
  func help() throws {
    let scratch = try Scratch()
    let help = try scratch.pipe("enqueue", "--help").expect()
    try scratch.pipe("enqueue", "--raw", "--quiet", "--help").expect(help.output)
    try scratch.pipe("help", "enqueue").expect(help.output)
  }
}

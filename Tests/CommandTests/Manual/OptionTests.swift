import Foundation
import TestSupport
import Testing

@Suite("--help, the manual and the completions")
struct OptionTests {
  private func helped(_ command: String) throws -> Set<String> {
    let help = try Scratch().pipe(command, "--help").expect().output
    let part = help.components(separatedBy: "OPTIONS:\n").last ?? ""
    let lines = part.split(separator: "\n").filter { $0.hasPrefix("  -") }
    return Set(
      lines.flatMap { $0.matches(of: #/(?:^ |,) (--?[a-z][-a-z]*)/#).map { String($0.1) } })
  }

  @Test(
    "--help, the options of a page and its SYNOPSIS name the same options",
    arguments: Page.commands)
  func options(command: String) throws {
    let page = Page(name: "man/pipe-\(command).1")
    let help = try helped(command)
    #expect(help.count > 4, "\(help)")
    #expect(
      help == page.options,
      "in one of --help and \(page.name) only: \(help.symmetricDifference(page.options))")
    // SYNOPSIS has -q for --queue; each page describes --help and --version once.
    let short = help.subtracting(["--queue", "--help", "-h", "--version"])
    #expect(
      page.synopsis == short,
      "SYNOPSIS of \(page.name): \(page.synopsis.symmetricDifference(short))")
  }

  @Test("--help and -h print to stdout, and --version prints a number")
  func help() throws {
    let scratch = try Scratch()
    let long = try scratch.pipe("--help").expect()
    try scratch.pipe("-h").expect(long.output)
    for command in Page.commands {
      #expect(long.output.contains("\n  \(command) "), long.story)
    }
    let version = try scratch.pipe("--version").expect()
    #expect(version.output.wholeMatch(of: #/\d+\.\d+\.\d+\n/#) != nil, version.story)
  }

  @Test(
    "usage errors exit with 64 and print to stderr",
    arguments: ["", "unknown", "--unknown", "enqueue --unknown", "enqueue more"])
  func usage(arguments: String) throws {
    let run = try Scratch().sh("pipe \(arguments)")
    // Without arguments nothing is wrong yet: it prints what there is.
    if arguments.isEmpty {
      #expect(run.ending == .exited(0) || run.ending == .exited(64), run.story)
    } else {
      run.expect("", errors: nil, status: 64)
      #expect(!run.errors.isEmpty, run.story)
    }
  }

  @Test(
    "the stored completions are what the binary prints",
    arguments: [("bash", "pipe.bash"), ("zsh", "_pipe"), ("fish", "pipe.fish")])
  func completions(shell: String, file: String) throws {
    let kept = try String(contentsOfFile: Repository.path + "/completions/" + file, encoding: .utf8)
    let run = try Scratch().pipe("--generate-completion-script", shell).expect()
    #expect(run.output == kept, "completions/\(file): pipe --generate-completion-script \(shell)")
  }

  @Test("each shell accepts its completions", .needs("bash", "zsh", "fish"))
  func shells() throws {
    let scratch = try Scratch()
    let root = Repository.path + "/completions"
    try scratch.sh("bash -n \(root)/pipe.bash && zsh -n \(root)/_pipe && fish -n \(root)/pipe.fish")
      .expect("")
    try scratch.sh(#"fish -c 'source "\#(root)/pipe.fish"; complete -C "pipe enq"' | cut -f 1"#)
      .expect("enqueue\n")
    let words = "COMP_WORDS=(pipe con) COMP_CWORD=1; _pipe pipe con pipe; echo ${COMPREPLY[@]}"
    let bash = try scratch.sh("source \(root)/pipe.bash; \(words)")
    #expect(bash.output == "consume\n", bash.story)
  }

  @Test("the manual pages are clean mdoc", .needs("mandoc"))
  func lint() throws {
    try Scratch().sh("mandoc -T lint -W warning \(Repository.path)/man/*").expect("")
  }

  @Test("the manual pages can be read from the clone", .needs("man", "mandoc"))
  func readable() throws {
    let run = try Scratch().sh("man \(Repository.path)/man/pipe.1 | head -n 1")
    #expect(run.expect(errors: nil).output.hasPrefix("PIPE(1)"), run.story)
  }
}

import Foundation
import TestSupport
import Testing

@Suite("Examples in the manual")
struct ExampleTests {
  private static let shells = ["bash", "zsh", "dash"]

  @Test(
    "the examples of each page run in each shell, and print what the page shows",
    .needs("zsh", "dash"), arguments: Page.all, shells)
  func run(page: Page, shell: String) throws {
    try page.check(in: Scratch(), shell: shell)
  }

  @Test(
    "the examples of the README run in each shell, and compress the files",
    .needs("zsh", "dash", "curl", "python3", "sqlite3"), arguments: shells)
  func readme(shell: String) throws {
    let scratch = try Scratch()
    try linkExamples(in: scratch)
    try scratch.sh("echo 1 > 'a b.log'; echo 2 > c.log").expect("")
    try Page.readme.check(in: scratch, shell: shell)
    try scratch.sh("zcat 'a b.log.gz' c.log.gz").expect("1\n2\n")
  }

  @Test(
    "the examples of the tutorial run in each shell, with an sshd and three users",
    .needs("zsh", "dash", "curl", "ssh", "sshd", "rsync"), .needsUsers, arguments: shells)
  func tutorial(shell: String) throws {
    let scratch = try Scratch()
    try RemoteHost.install(in: scratch)
    try OtherUsers.install(in: scratch)
    try Page.tutorial.check(in: scratch, shell: shell)
  }

  @Test("the README and the tutorial show no commands that no test runs")
  func complete() {
    // Tests/run and .ci/run run the first two, the tests of installation the others.
    let run = Page.readme.notRun.map { $0.components(separatedBy: "  ")[0] }
    #expect(
      run == [
        "swift build -c release -Xswiftc -static-executable -Xlinker -s",
        "examples/quickstart.sh", "examples/install.sh",
        "sudo dpkg -i \"$(examples/debian/build.sh)\"",
      ])
    #expect(Page.tutorial.notRun == [])
  }

  @Test("the picture of the README shows what its session prints", .needs("python3"))
  func picture() throws {
    let folder = Repository.path + "/examples/picture"
    let run = try Scratch().run([folder + "/draw"], ["PIPE": Binary.path]).expect(nil)
    let kept = try String(contentsOfFile: folder + "/pipe.svg", encoding: .utf8)
    // To renew it: examples/picture/draw > examples/picture/pipe.svg
    #expect(normalized(run.output) == normalized(kept))
  }

  private func linkExamples(in scratch: Scratch) throws {
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("examples"), withDestinationPath: Repository.path + "/examples")
  }

  @Test("each manual page has the standard sections, EXAMPLES among them")
  func sections() {
    let sections = [
      "NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES", "SEE ALSO",
    ]
    for page in Page.all where page.name.hasSuffix(".1") {
      let found = page.text.matches(of: #/(?m)^\.Sh (.*)$/#).map { String($0.1) }
      #expect(found.filter(sections.contains) == sections, "\(page.name)")
    }
  }
}

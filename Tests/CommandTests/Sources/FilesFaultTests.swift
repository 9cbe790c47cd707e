import Glibc
import TestSupport
import Testing

@Suite("Faults around examples/sources/files", .needs("python3"))
struct FilesFaultTests {
  private let scratch: Scratch
  private let follower: LogFollower

  init() throws {
    scratch = try Scratch()
    follower = LogFollower(scratch)
  }

  @Test("without pipe in the PATH the source exits with 69")
  func noPipe() throws {
    try scratch.sh(
      "seq 3 > app.log; mkdir tools; ln -s $(python3 -c 'import sys; print(sys.executable)') tools/python3"
    )
    .expect("")
    try scratch.run(follower.command + ["--once"], ["PATH": scratch.path("tools")]).expect(
      "", errors: "files: cannot run pipe: No such file or directory\n", status: 69)
  }

  @Test("the source exits with 74 when its state directory is removed")
  func stateIsGone() throws {
    try scratch.sh("echo 1 > app.log").expect("")
    let source = try follower.start()
    try wait(until: { try follower.position() == 2 })
    try scratch.sh("rm -r state; echo 2 >> app.log").expect("")
    let run = source.finish().expect("", errors: nil, status: 74)
    #expect(run.errors.hasSuffix("app.log.new: No such file or directory\n"), run.story)
  }

  @Test("a state directory that cannot be created is 73, and invalid state is 74")
  func badState() throws {
    try scratch.sh("echo 1 > app.log; echo > state").expect("")
    try follower.once().expect("", errors: "files: state: File exists\n", status: 73)
    try scratch.sh("rm state").expect("")
    try follower.once().expect("")
    try scratch.sh("echo > state/*app.log").expect("")
    let run = try follower.once().expect("", errors: nil, status: 74)
    #expect(run.errors.hasSuffix("app.log: Expecting value: line 2 column 1 (char 1)\n"), run.story)
  }

  @Test("a missing log is reported once and waited for; with --once it is 66")
  func noLog() throws {
    let words = "files: \(scratch.path("app.log")): No such file or directory"
    try scratch.sh("echo 1 > other.log").expect("")
    try scratch.run(follower.command + ["other.log", "--once"]).expect(
      "", errors: words + "\n", status: 66)
    try scratch.pipe("consume").expect("1\n")
    let source = try follower.start()
    #expect(source.errorLine() == words + "; waiting for it")
    let reader = try scratch.start("consume", "--follow", "-n", "1")
    try scratch.sh("touch more; echo 2 > app.log").expect("")
    #expect(reader.line() == "2")
    follower.stop(source, errors: words + "; waiting for it\n")
  }

  @Test("a missing directory is 66; one removed later is waited for, and other logs are still read")
  func noDirectory() throws {
    try scratch.run([follower.script, "--state", "state", "d/a.log"]).expect(
      "", errors: "files: \(scratch.path("d")): no such directory\n", status: 66)
    try scratch.sh("mkdir d e; echo 1 > d/a.log; echo 2 > e/b.log").expect("")
    let source = try scratch.start([follower.script, "--state", "state", "d/a.log", "e/b.log"])
    let reader = try scratch.start("consume", "--follow", "-n", "5", "--size", "1")
    #expect([reader.line(), reader.line()] == ["1", "2"])
    try scratch.sh("rm -r d").expect("")
    let words = "files: \(scratch.path("d/a.log")): No such file or directory; waiting for it"
    #expect(source.errorLine() == words)
    try scratch.sh("echo 3 >> e/b.log").expect("")
    #expect(reader.line() == "3")
    try scratch.sh("mkdir d; echo 4 > d/a.log").expect("")
    #expect(reader.line() == "4")
    try scratch.sh("mv d/a.log d/a.log.1; echo 5 > d/a.log").expect("")
    #expect(reader.line() == "5")
    follower.stop(source, errors: nil)
  }

  @Test(
    "an unreadable log is 77 at the start; later it is reported once, and others are still read",
    .needsPermissions)
  func unreadable() throws {
    try scratch.sh("echo 1 > app.log; echo 2 > other.log; chmod 0 app.log").expect("")
    let command = Unprivileged.prefix + follower.command + ["other.log"]
    try scratch.run(command).expect("", errors: "files: app.log: Permission denied\n", status: 77)
    try scratch.sh("chmod 600 app.log").expect("")
    let source = try scratch.start(command)
    let reader = try scratch.start("consume", "--follow", "-n", "4", "--size", "1")
    #expect([reader.line(), reader.line()] == ["1", "2"])
    try scratch.sh("mv app.log app.log.1; umask 777; echo 3 > new; mv new app.log").expect("")
    let words = "files: \(scratch.path("app.log")): Permission denied; waiting for it"
    #expect(source.errorLine() == words)
    try scratch.sh("echo 4 >> other.log").expect("")
    #expect(reader.line() == "4")
    try scratch.sh("chmod 600 app.log").expect("")
    #expect(reader.line() == "3")
    follower.stop(source, errors: words + "\n")
  }

  @Test("a line of more than 4 MiB is rejected as one, and is not stored in parts")
  func long() throws {
    try scratch.sh("(echo a; yes x | tr -d '\\n' | head -c 9000000; echo; echo b) > app.log")
      .expect("")
    try scratch.run(follower.command + ["--once", "--text"]).expect(
      "", errors: "files: \(scratch.path("app.log")): line at byte 2: longer than 4 MiB\n")
    try scratch.pipe("consume").expect("\"a\"\n\"b\"\n")
    try scratch.sh("tr -d '\\n' < state/rejected | wc -c").expect("9000000\n")
  }

  @Test("empty lines, and lines with only a byte-order mark, do not matter")
  func marks() throws {
    try scratch.sh("printf '\\xef\\xbb\\xbf\\n\\xef\\xbb\\xbf1\\n\\n \\n2\\n' > app.log").expect("")
    try follower.once().expect(
      "", errors: "files: \(scratch.path("app.log")): line at byte 0: empty\n")
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("a path may be as long as the system allows")
  func longPath() throws {
    let name = String(repeating: "é", count: 100)
    try scratch.sh("mkdir \(name); echo 1 > \(name)/a.log").expect("")
    for _ in 0..<2 {
      try scratch.run([follower.script, "--state", "state", "--once", "\(name)/a.log"]).expect("")
    }
    try scratch.pipe("consume").expect("1\n")
  }
}

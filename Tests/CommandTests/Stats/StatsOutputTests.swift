import Foundation
import Glibc
import TestSupport
import Testing

@Suite("stats --output")
struct StatsOutputTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init")
  }

  @Test("--output writes a new file as the umask allows, and nothing beside it")
  func new() throws {
    try scratch.sh("umask 027; mkdir d; pipe stats --prometheus --output d/pipe.prom").expect("")
    #expect(try scratch.names(in: "d") == ["pipe.prom"])
    #expect(scratch.mode("d/pipe.prom") == 0o640)
    try scratch.pipe("stats", "--prometheus").expect(
      String(decoding: try scratch.read("d/pipe.prom"), as: UTF8.self))
  }

  @Test("--output replaces a file as a whole, in its mode, and open readers still read the old one")
  func replaced() throws {
    let old = String(repeating: "old\n", count: 10_000)
    try scratch.write(old, to: "file")
    chmod(scratch.path("file"), 0o604)
    try scratch.sh("umask 077; exec 3< file; pipe stats --json --output file; cat <&3 | wc -l")
      .expect("10000\n")
    try scratch.sh("wc -l < file; jq .items.ready.HIGH file").expect("1\n0\n")
    #expect(scratch.mode("file") == 0o604)
    #expect(try scratch.names(in: ".") == ["file", "queue"])
  }

  @Test("--output reports a wrong name and leaves existing files alone")
  func wrong() throws {
    try scratch.sh("mkdir d; echo text > text").expect()
    try scratch.pipe("stats", "--output", "none/file").expect(
      "", errors: "pipe stats: none/file: cannot create: No such file or directory\n", status: 66)
    try scratch.pipe("stats", "--output", "text/file").expect(
      "", errors: "pipe stats: text/file: cannot create: Not a directory\n", status: 66)
    try scratch.pipe("stats", "--output", "d").expect(
      "", errors: "pipe stats: d: cannot open: Is a directory\n", status: 74)
    try scratch.sh("ls d; cat text; ls").expect("text\nd\nqueue\ntext\n")
  }

  @Test("--output reports a directory that it may not write", .needsPermissions)
  func unwritable() throws {
    try scratch.sh("mkdir d; echo old > d/file; chmod 500 d").expect()
    let run = try scratch.run(
      Unprivileged.prefix + [Binary.path, "stats", "--output", "d/file"])
    run.expect("", errors: "pipe stats: d/file: cannot create: Permission denied\n", status: 77)
    try scratch.sh("chmod 700 d; ls d; cat d/file").expect("file\nold\n")
  }

  @Test("--output follows a symbolic link, which stays one")
  func link() throws {
    try scratch.sh("mkdir d; echo old > d/file; ln -s d/file link").expect()
    try scratch.pipe("stats", "--json", "--output", "link").expect("")
    try scratch.sh("readlink link; wc -l < d/file; ls d").expect("d/file\n1\nfile\n")
  }

  @Test("--output writes into a file that is not regular, and replaces no device")
  func device() throws {
    try scratch.sh("ln -s /proc/self/fd/1 out; pipe stats --json --output out | wc -l").expect(
      "1\n")
    try scratch.sh("mkfifo fifo; cat fifo | wc -l & pipe stats --json --output fifo; wait").expect(
      "1\n")
    try scratch.sh("test -p fifo && test -L out && ls").expect("fifo\nout\nqueue\n")
  }

  @Test("--output is not disturbed by what a killed process with the same pid left behind")
  func stale() throws {
    try scratch.sh("(touch file.$BASHPID; exec pipe stats --json --output file)").expect("")
    #expect(try scratch.names(in: ".") == ["file", "queue"])
  }

  @Test("stats reports a closed or full stdout")
  func stdout() throws {
    try scratch.sh("pipe stats >&-").expect(
      "", errors: "pipe stats: stdout: cannot write: Bad file descriptor\n", status: 74)
    try scratch.sh("pipe stats > /dev/full").expect(
      "", errors: "pipe stats: stdout: cannot write: No space left on device\n", status: 75)
  }
}

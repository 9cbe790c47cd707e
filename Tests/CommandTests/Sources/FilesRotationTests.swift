import Glibc
import TestSupport
import Testing

@Suite("Log rotation", .needs("python3"))
struct FilesRotationTests {
  private let scratch: Scratch
  private let follower: LogFollower

  init() throws {
    scratch = try Scratch()
    follower = LogFollower(scratch)
  }

  @Test("a renamed log is read to its end, then the files in between, then the new log")
  func renamed() throws {
    try scratch.sh("seq 4 > app.log").expect("")
    let source = try follower.start()
    let reader = try scratch.start("consume", "--follow", "-n", "7", "--size", "1")
    #expect((1...4).map { _ in reader.line() } == ["1", "2", "3", "4"])
    // The program writes to the old file until it opens the new one.
    try scratch.sh("exec >> app.log; mv app.log app.log.1; : > app.log; echo 5").expect("")
    #expect(reader.line() == "5")
    try scratch.sh("echo 6 >> app.log").expect("")
    #expect(reader.line() == "6")
    follower.stop(source)
    try scratch.sh(
      "echo 7 >> app.log; mv app.log app.log.2; echo 8 > app.log; mv app.log app.log.1; echo 9 > app.log"
    ).expect("")
    try follower.once().expect("")
    #expect(reader.line() == "7")
    try scratch.pipe("consume").expect("8\n9\n")
  }

  @Test(
    "a log that is copied and truncated is read on in the copy, then from its start",
    arguments: [false, true])
  func copied(isRunning: Bool) throws {
    try scratch.sh("seq 10000 > app.log").expect("")
    try follower.once().expect("")
    // Longer than before, so that the old position falls within a line.
    let line = """
      echo 10001 >> app.log; cp app.log app.log.1; : > app.log
      seq 10002 10004 >> app.log; printf '%060000d\\n' 0 | tr 0 ' ' >> app.log
      """
    if !isRunning {
      try scratch.sh(line).expect("")
      try follower.once().expect("")
      try scratch.expectEach(to: 10004)
      return
    }
    try scratch.pipe("consume", "-n", "1", "--size", "10000").expect(nil)
    let source = try follower.start()
    try scratch.sh(line).expect("")
    let reader = try scratch.start("consume", "--follow", "-n", "4", "--size", "1")
    #expect((1...4).map { _ in reader.line() } == ["10001", "10002", "10003", "10004"])
    follower.stop(source)
  }

  @Test("each line is stored once when both kinds of rotation alternate between any two runs")
  func both() throws {
    let line = """
      older() { mv -f app.log.2 app.log.3; mv -f app.log.1 app.log.2; } 2> /dev/null
      for i in {1..60}; do
        echo $((2 * i - 1)) >> app.log
        if [ $((i % 4)) = 0 ]; then older; cp app.log app.log.1; : > app.log; fi
        echo $((2 * i)) >> app.log
        if [ $((i % 3)) = 0 ]; then older; mv app.log app.log.1; fi
        echo >> app.log
        \(follower.script) --state state --once app.log >&2
      done
      """
    try scratch.sh(line).expect("")
    try scratch.expectEach(to: 120)
  }

  @Test("the source reports lines that it can no longer find")
  func lost() throws {
    try scratch.sh("seq 3 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("echo 4 >> app.log; rm app.log; echo 5 > app.log").expect("")
    let path = scratch.path("app.log")
    try follower.once().expect(
      "",
      errors: "files: \(path): the rest of its last file, after byte 6, was not found; "
        + "continuing with \(path)\n", status: 66)
    try follower.once().expect("")
    try scratch.pipe("consume").expect("1\n2\n3\n5\n")
  }

  @Test("a log truncated while a full queue blocks the source is read on in the copy")
  func cutWhileWaiting() throws {
    try scratch.prepare("init", "--max-items", "100")
    try scratch.sh("seq 90 > app.log").expect("")
    let source = try follower.start()
    try wait(until: { try follower.position() > 0 })
    try scratch.sh("seq 91 150 >> app.log").expect("")
    let waits = "pgrep -P \(source.process) -f 'pipe enqueue'"
    try wait(until: { try scratch.sh(waits).ending == .exited(0) })
    try scratch.sh("cp app.log app.log.1; : > app.log; echo 151 >> app.log").expect("")
    let reader = try scratch.start([
      "sh", "-c", "exec pipe consume --follow -n 153 --size 1 > taken",
    ])
    try wait(until: { try scratch.lines(of: "taken").count >= 151 })
    try scratch.sh("echo 152 >> app.log; echo 153 >> app.log").expect("")
    reader.finish().expect("")
    #expect(try scratch.lines(of: "taken") == (1...153).map { "\($0)" })
    follower.stop(source)
  }

  @Test("each line comes once while the log is truncated and the source killed again and again")
  func cutAgainAndAgain() throws {
    try scratch.sh(": > app.log").expect("")
    try follower.once().expect("")
    let writer = try scratch.start([
      "bash", "-c",
      """
      for i in {1..3000}; do
        echo $i >> app.log
        if [ $((i % 100)) = 0 ]; then
          for n in {30..1}; do [ ! -e app.log.$n ] || mv app.log.$n app.log.$((n + 1)); done
          cp app.log app.log.1; : > app.log
        fi
      done
      : > written; echo written; read end
      """,
    ])
    let isWritten = { access(scratch.path("written"), F_OK) == 0 }
    for _ in 0..<4 {
      let source = try follower.start()
      let stored = try follower.identity()
      // The last identity may be stored already.
      try wait(until: { try follower.identity() != stored || isWritten() })
      kill(-source.process, SIGKILL)
      source.reap()
    }
    let source = try follower.start()
    #expect(writer.line() == "written")
    // A signal would also cut the line that the source is just passing on.
    try wait(until: { try scratch.unsettled() == 3000 })
    follower.stop(source)
    try follower.once().expect("")
    try scratch.expectEach(to: 3000)
  }

  @Test("a log truncated before any of it was read is read from its copy")
  func cutAtTheStart() throws {
    try scratch.sh(": > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("seq 10 >> app.log; cp app.log app.log.1; : > app.log; seq 11 13 >> app.log")
      .expect("")
    try follower.once().expect("")
    try scratch.expectEach(to: 13)
  }

  @Test("every line of a truncated log of equal lines is stored")
  func equalLines() throws {
    try scratch.sh("yes 7 | head -n 1000 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("cp app.log app.log.1; : > app.log; yes 7 | head -n 3000 >> app.log").expect("")
    try follower.once().expect("")
    #expect(try scratch.drained().count == 4000)
  }

  @Test("a renamed log whose successor does not exist yet is read to its end")
  func renamedOnly() throws {
    try scratch.sh("seq 3 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("echo 4 >> app.log; mv app.log app.log.1; ln -s nowhere app.log.2").expect("")
    try follower.once().expect("")
    try scratch.expectEach(to: 4)
  }

  @Test("only the new lines of a file left behind are read, and none if it was merely touched")
  func late() throws {
    try scratch.sh("seq 5 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("mv app.log app.log.1; echo 6 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("echo 7 >> app.log.1").expect("")
    for number in 8...9 {
      try scratch.sh("mv app.log.1 app.log.2; mv app.log app.log.1; echo \(number) > app.log")
        .expect("")
      try scratch.sh("touch app.log.2").expect("")
      try follower.once().expect("")
    }
    try scratch.expectEach(to: 9)
  }

  @Test("a log behind a symbolic link is followed where it is rotated")
  func linked() throws {
    try scratch.sh("mkdir there; echo 1 > there/app.log").expect("")
    try scratch.sh("ln -s there/app.log app.log").expect("")
    let source = try follower.start()
    let reader = try scratch.start("consume", "--follow", "-n", "3", "--size", "1")
    #expect(reader.line() == "1")
    try scratch.sh("cd there; echo 2 >> app.log; mv app.log app.log.1; echo 3 > app.log").expect("")
    #expect(reader.line() == "2" && reader.line() == "3")
    follower.stop(source)
    try scratch.sh("cd there; echo 4 >> app.log; mv app.log app.log.0; echo 5 > app.log").expect("")
    try follower.once().expect("")
    try scratch.pipe("consume").expect("4\n5\n")
  }

  @Test("a log that is given twice, or with its older files, is a usage error")
  func twice() throws {
    try scratch.sh("echo 1 > app.log; echo 2 > app.log.1; ln app.log hard.log").expect("")
    for (given, words) in [
      ("./app.log", "app.log is given twice"), ("hard.log", "app.log is given twice"),
      ("app.log.1", "app.log.1 is a rotated file of another log and is read with it"),
    ] {
      try scratch.run(follower.command + [given]).expect(
        "", errors: "files: \(words); see --help\n", status: 64)
    }
  }
}

extension FilesRotationTests {
  @Test(
    "an older file may have its date or number after the name or before the extension",
    arguments: [
      "app-20261129.log", "app.1.log", "app-2026-11-29.log", "app.log.1", "app_2026-11-29.0.log",
      "app-1764403200.log", "app.log.2026-11-29_10-15-00", "app-2026-11-29T10-15-00.123.log",
      "app.20261129T101500Z.log", "app-1.log", "app2.log", "app-2026-48.log", "app.log.old",
    ])
  func names(name: String) throws {
    try scratch.sh("echo 1 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("echo 2 >> app.log; mv app.log \(name); echo 3 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("echo 4 >> app.log").expect("")
    try follower.once().expect("")
    try scratch.expectEach(to: 4)
  }

  @Test(
    "a log rotated twice is read in both files, even if the first has such a name too",
    arguments: [
      ("app-20261128.log", "app-20261129.log"), ("app.2.log", "app.1.log"),
      ("app-2.log", "app-1.log"),
      ("app2.log", "app1.log"),
    ])
  func twiceRotated(first: String, second: String) throws {
    try scratch.sh("echo 1 > app.log").expect("")
    try follower.once().expect("")
    let line = """
      echo 2 >> app.log; mv app.log \(first); echo 3 > app.log; mv app.log \(second); echo 4 > app.log
      """
    try scratch.sh(line).expect("")
    try follower.once().expect("")
    try scratch.expectEach(to: 4)
  }

  @Test("a copy with its date before the extension is read on as well")
  func copiedBeforeExtension() throws {
    try scratch.sh("seq 100 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("echo 101 >> app.log; cp app.log app-20261129.log; echo 102 > app.log").expect(
      "")
    try follower.once().expect("")
    try scratch.expectEach(to: 102)
  }

  @Test("a file that may be another log is left alone, and a followed log is never an older file")
  func otherLogs() throws {
    try scratch.sh("echo 1 > app.log; echo 8 > app-1.log; echo 9 > app-2.log").expect("")
    try scratch.run(follower.command + ["app-2.log", "--once"]).expect("")
    try scratch.sh("echo 2 >> app.log; mv app.log app.log.1; echo 3 > app.log; echo 8 >> app-1.log")
      .expect("")
    try scratch.run(follower.command + ["app-2.log", "--once"]).expect("")
    try scratch.sh("mv app-2.log app-3.log; echo 4 >> app.log; echo 9 > app-2.log").expect("")
    try scratch.run(follower.command + ["app-2.log", "--once"]).expect("")
    #expect(try scratch.drained().sorted() == ["1", "2", "3", "4", "9", "9"])
  }

  @Test(
    "a compressed rest of a log is named, and the status is not 0", arguments: ["gzip", "bzip2"])
  func compressed(program: String) throws {
    try scratch.sh("seq 3 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh(
      "echo 4 >> app.log; mv app.log app-20261129.log; \(program) app-20261129.log; echo 5 > app.log"
    ).expect("")
    let path = scratch.path("app.log")
    let packed = scratch.path("app-20261129.log") + (program == "gzip" ? ".gz" : ".bz2")
    try follower.once().expect(
      "",
      errors: "files: \(path): the rest of its last file, after byte 6, was not found; "
        + "\(packed) is compressed and was not read; continuing with \(path)\n", status: 66)
    try scratch.pipe("consume").expect("1\n2\n3\n5\n")
  }

  @Test("a file that was read to its end is not missed when it is compressed")
  func compressedWhole() throws {
    try scratch.sh("seq 1000 > app.log").expect("")
    try follower.once().expect("")
    try scratch.sh("gzip -c app.log > app.log.1.gz; rm app.log; echo 1001 > app.log").expect("")
    try follower.once().expect("")
    try scratch.expectEach(to: 1001)
  }
}

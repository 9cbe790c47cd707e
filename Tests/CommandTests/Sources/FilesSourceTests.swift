import Foundation
import Glibc
import Testing

@Suite("examples/sources/files", .needs("python3"))
struct FilesSourceTests {
  private let scratch: Scratch
  private let script = Scratch.example("sources/files")

  init() throws { scratch = try Scratch() }

  @Test("a line is stored as soon as it is whole, and not before")
  func whole() throws {
    let source = try start()
    let reader = try scratch.start("consume", "--follow", "-n", "2", "--size", "1")
    try scratch.sh("printf '{\"a\":1.50}\\n{\"b\":' >> app.log").expect("")
    #expect(reader.line() == #"{"a":1.50}"#)
    try scratch.sh("printf '2}\\n' >> app.log").expect("")
    #expect(reader.line() == #"{"b":2}"#)
    stop(source)
    try scratch.sh("printf '3' >> app.log").expect("")
    try once().expect("")
    try scratch.pipe("consume").expect("")
  }

  @Test("killed again and again while a program writes, it stores each line once")
  func killed() throws {
    let writer = try scratch.start([
      "bash", "-c", "for i in {1..20000}; do echo $i; done > app.log; read end || true",
    ])
    for round in 0..<12 {
      let source = try start()
      let stored = try position()
      try wait(until: { try round % 2 == 0 || position() != stored || stored >= 108_000 })
      kill(-source.process, SIGKILL)
      source.reap()
    }
    writer.endInput()
    writer.finish().expect("")
    try once().expect("")
    try scratch.expectEach(to: 20000)
  }

  @Test("killed between the receipt and the position, it stores nothing twice")
  func betweenReceiptAndPosition() throws {
    try scratch.sh("seq 3000 > app.log").expect("")
    let fatal = try scratch.afterEach("enqueue", do: "kill -9 $PPID")
    let run = try scratch.run([script, "--state", "state", "--once", "app.log"], fatal)
    #expect(run.ending == .killed(SIGKILL), run.story)
    try scratch.sh("grep -o '\"offset\": [0-9]*' state/*app.log").expect("\"offset\": 0\n")
    try once().expect("")
    try scratch.expectEach(to: 3000)
  }

  @Test("the position does not move on when the queue refuses")
  func full() throws {
    try scratch.prepare("init", "--max-items", "2")
    try scratch.sh("seq 3 > app.log").expect("")
    let hasty = try scratch.afterEach("none", do: ":")
    try scratch.sh("sed -i 's/\"$@\"/\"${@\\/1m\\/0s}\"/' around/pipe").expect("")
    let run = try scratch.run([script, "--state", "state", "--once", "app.log"], hasty)
    #expect(run.ending == .exited(75), run.story)
    try scratch.prepare("init", "--max-items", "10")
    try once().expect("")
    try scratch.expectEach(to: 3)
  }

  @Test("a log that is renamed is read to its end, then the new one, and what is in between")
  func renamed() throws {
    try scratch.sh("seq 4 > app.log").expect("")
    let source = try start()
    let reader = try scratch.start("consume", "--follow", "-n", "7", "--size", "1")
    #expect((1...4).map { _ in reader.line() } == ["1", "2", "3", "4"])
    // The program writes to the old file until it opens the new one.
    try scratch.sh("exec >> app.log; mv app.log app.log.1; : > app.log; echo 5").expect("")
    #expect(reader.line() == "5")
    try scratch.sh("echo 6 >> app.log").expect("")
    #expect(reader.line() == "6")
    stop(source)
    try scratch.sh(
      "echo 7 >> app.log; mv app.log app.log.2; echo 8 > app.log; mv app.log app.log.1; echo 9 > app.log"
    ).expect("")
    try once().expect("")
    #expect(reader.line() == "7")
    try scratch.pipe("consume").expect("8\n9\n")
  }

  @Test(
    "a log that is copied and cut is read on in the copy, then from its start", arguments: 0...1)
  func copied(isRunning: Int) throws {
    try scratch.sh("seq 10000 > app.log").expect("")
    try once().expect("")
    // Longer than it was, and the old place is within a line.
    let line = """
      echo 10001 >> app.log; cp app.log app.log.1; : > app.log
      seq 10002 10004 >> app.log; printf '%060000d\\n' 0 | tr 0 ' ' >> app.log
      """
    if isRunning == 0 {
      try scratch.sh(line).expect("")
      try once().expect("")
      try scratch.expectEach(to: 10004)
      return
    }
    try scratch.pipe("consume", "-n", "1", "--size", "10000").expect(nil)
    let source = try start()
    try scratch.sh(line).expect("")
    let reader = try scratch.start("consume", "--follow", "-n", "4", "--size", "1")
    #expect((1...4).map { _ in reader.line() } == ["10001", "10002", "10003", "10004"])
    stop(source)
  }

  @Test("rotated in both ways, in turns, and between any two runs, each line is stored once")
  func both() throws {
    let line = """
      older() { mv -f app.log.2 app.log.3; mv -f app.log.1 app.log.2; } 2> /dev/null
      for i in {1..60}; do
        echo $((2 * i - 1)) >> app.log
        if [ $((i % 4)) = 0 ]; then older; cp app.log app.log.1; : > app.log; fi
        echo $((2 * i)) >> app.log
        if [ $((i % 3)) = 0 ]; then older; mv app.log app.log.1; fi
        echo >> app.log
        \(script) --state state --once app.log >&2
      done
      """
    try scratch.sh(line).expect("")
    try scratch.expectEach(to: 120)
  }

  @Test("what it cannot find any more it says")
  func lost() throws {
    try scratch.sh("seq 3 > app.log").expect("")
    try once().expect("")
    try scratch.sh("echo 4 >> app.log; rm app.log; echo 5 > app.log").expect("")
    let path = scratch.path("app.log")
    try once().expect(
      "",
      errors: "files: \(path): what came after byte 6 of its last file is not found; "
        + "going on with \(path)\n")
    try scratch.pipe("consume").expect("1\n2\n3\n5\n")
  }

  @Test("a line that is no JSON is kept and told with its byte, and the rest is stored")
  func bad() throws {
    try scratch.write("1\nno\n2\n", to: "app.log")
    let run = try once().expect("", errors: nil)
    #expect(run.errors.contains("app.log: line at byte 2: byte 2: "), run.story)
    try scratch.sh("cat state/rejected; pipe consume").expect("no\n1\n2\n")
  }

  @Test("with --text any line is a record")
  func text() throws {
    try scratch.write(
      Array("a \"b\"\\\r\n".utf8) + [0xff, 0x0a] + Array("é".utf8) + [0x0a], to: "a")
    try scratch.run([script, "--state", "state", "--once", "--text", "a"]).expect("")
    try scratch.pipe("consume").expect(#""a \"b\"\\""# + "\n\"\\\\xff\"\n\"é\"\n")
  }

  @Test("two of them do not read with the same state")
  func locked() throws {
    let source = try start()
    try wait(until: { try scratch.sh("flock -n state true").ending != .exited(0) })
    try once().expect("", errors: "files: state is in use\n", status: 75)
    stop(source)
  }

  /// How far it has come, in bytes.
  private func position() throws -> Int {
    let line = "cat state/*app.log 2> /dev/null | grep -o '\"offset\": [0-9]*' | cut -d ' ' -f 2"
    return Int(try scratch.sh(line).lines.first ?? "") ?? 0
  }

  private func start() throws -> Child {
    let child = try scratch.start([script, "--state", "state", "app.log"])
    try wait(until: { FileManager.default.fileExists(atPath: scratch.path("state")) })
    return child
  }

  private func once() throws -> Run {
    try scratch.run([script, "--state", "state", "--once", "app.log"])
  }

  private func stop(_ source: Child) {
    source.signal(SIGTERM)
    source.finish().expect("", ending: .killed(SIGTERM))
  }
}

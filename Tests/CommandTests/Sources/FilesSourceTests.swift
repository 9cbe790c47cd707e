import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/sources/files", .needs("python3"))
struct FilesSourceTests {
  private let scratch: Scratch
  private let follower: LogFollower

  init() throws {
    scratch = try Scratch()
    follower = LogFollower(scratch)
  }

  @Test("a line is stored as soon as it is complete, and not before")
  func whole() throws {
    try scratch.sh(": > app.log").expect("")
    let source = try follower.start()
    let reader = try scratch.start("consume", "--follow", "-n", "2", "--size", "1")
    try scratch.sh("printf '{\"a\":1.50}\\n{\"b\":' >> app.log").expect("")
    #expect(reader.line() == #"{"a":1.50}"#)
    try scratch.sh("printf '2}\\n' >> app.log").expect("")
    #expect(reader.line() == #"{"b":2}"#)
    follower.stop(source)
    try scratch.sh("printf '3' >> app.log").expect("")
    try follower.once().expect("")
    try scratch.pipe("consume").expect("")
  }

  @Test("a source killed again and again while a program writes stores each line once")
  func killed() throws {
    let writer = try scratch.start([
      "bash", "-c", "for i in {1..20000}; do echo $i; done > app.log; read end || true",
    ])
    let length = (1...20000).reduce(0) { $0 + "\($1)\n".utf8.count }
    for round in 0..<12 {
      let source = try follower.start()
      let stored = try follower.position()
      try wait(until: {
        try round % 2 == 0 || follower.position() != stored || stored == length
      })
      kill(-source.process, SIGKILL)
      source.reap()
    }
    writer.endInput()
    writer.finish().expect("")
    try follower.once().expect("")
    try scratch.expectEach(to: 20000)
  }

  @Test("a source killed between the receipt and the position stores nothing twice")
  func betweenReceiptAndPosition() throws {
    try scratch.sh("seq 3000 > app.log").expect("")
    let fatal = try scratch.afterEach("enqueue", do: "kill -9 $PPID")
    let run = try scratch.run(follower.command + ["--once"], fatal)
    #expect(run.ending == .killed(SIGKILL), run.story)
    try scratch.sh("grep -o '\"offset\": [0-9]*' state/*app.log").expect("\"offset\": 0\n")
    try follower.once().expect("")
    try scratch.expectEach(to: 3000)
  }

  @Test("the position does not advance when the queue refuses")
  func full() throws {
    try scratch.prepare("init", "--max-items", "2")
    try scratch.sh("seq 3 > app.log").expect("")
    let run = try scratch.run(follower.command + ["--once"], scratch.impatient())
    #expect(run.ending == .exited(75), run.story)
    try scratch.prepare("init", "--max-items", "10")
    try follower.once().expect("")
    try scratch.expectEach(to: 3)
  }

  @Test("a line that is not JSON is kept and reported by byte, and the others are stored")
  func bad() throws {
    try scratch.write("1\nno\n2\n", to: "app.log")
    let run = try follower.once().expect("", errors: nil)
    #expect(run.errors.contains("app.log: line at byte 2: byte 2: "), run.story)
    try scratch.sh("cat state/rejected; pipe consume").expect("no\n1\n2\n")
  }

  @Test("with --text any line is a record")
  func text() throws {
    try scratch.write(
      Array("a \"b\"\\\r\n".utf8) + [0xff, 0x0a] + Array("é".utf8) + [0x0a], to: "a")
    try scratch.run([follower.script, "--state", "state", "--once", "--text", "a"]).expect("")
    try scratch.pipe("consume").expect(#""a \"b\"\\""# + "\n\"\\\\xff\"\n\"é\"\n")
  }

  @Test("two sources cannot use the same state directory")
  func locked() throws {
    try scratch.sh("echo 1 > app.log; pipe init").expect("")
    let source = try follower.start()
    try wait(until: { try scratch.unsettled() == 1 })
    try follower.once().expect("", errors: "files: state is in use\n", status: 75)
    follower.stop(source)
  }

  @Test("each of very many invalid lines is rejected and reported, and the others are stored")
  func manyRejected() throws {
    try scratch.sh(
      "for i in {1..50}; do echo $i; echo no$i; echo '{\"data\":5}'; echo '5}'; done > app.log"
    )
    .expect("")
    let run = try follower.once()
    run.expect("", errors: nil)
    #expect(run.errors.split(separator: "\n").count == 100, run.story)
    try scratch.sh("wc -l < state/rejected; pipe consume | sort -u | wc -l").expect("100\n51\n")
  }
}

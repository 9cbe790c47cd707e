import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/sinks/sqlite", .needs("python3", "sqlite3", "jq"))
struct SQLiteSinkTests {
  private let scratch: Scratch
  private let sink = Scratch.sink("sqlite") + " logs.db"

  init() throws {
    scratch = try Scratch()
  }

  private func run(_ more: [String: String] = [:]) throws -> Run {
    try scratch.sh(sink, sinkEnvironment.merging(more) { $1 })
  }

  private func ask(_ query: String) throws -> [String] {
    try scratch.run(["sqlite3", "-cmd", ".timeout 600000", "logs.db", query]).expect().lines
  }

  private func count() throws -> Int { Int(try ask("SELECT count(*) FROM logs")[0]) ?? -1 }

  @Test("a killed consumer and its killed worker leave 100,000 rows, each once")
  func crashes() throws {
    var ids = try scratch.storeMany(1...50_000)
    let following = Scratch.sink("sqlite", "--follow --size 1000 --stream") + " logs.db"
    let consumer = try scratch.start(
      line: following, sinkEnvironment.merging(["SINK_WAIT": "1800"]) { $1 })
    try wait(until: {
      // sqlite3 would create the file.
      guard access(scratch.path("logs.db-wal"), F_OK) == 0 else { return false }
      return try scratch.sh("sqlite3 logs.db 'SELECT count(*) > 0 FROM logs' 2>&1").output == "1\n"
    })
    let hold = try hold()
    ids += try scratch.storeMany(50_001...100_000)
    try scratch.waitForClaim()
    let worker = try scratch.sh("ps -o pid= --ppid \(consumer.process)").expect().output
    consumer.signal(SIGKILL)
    kill(try #require(pid_t(worker.trimmingCharacters(in: .whitespacesAndNewlines))), SIGKILL)
    hold.finish().expect("held\n")
    try wait(until: {
      try run().expect("")
      return try scratch.pipe("list").expect().output.isEmpty
    })
    #expect(try ask("SELECT id FROM logs ORDER BY id") == ids)
    try scratch.sh("sqlite3 logs.db 'SELECT data FROM logs ORDER BY id' | cmp - records").expect("")
  }

  // Blocks writers until the child is told to end.
  private func hold() throws -> Child {
    let child = try scratch.start(["sqlite3", "logs.db"])
    child.feed(".timeout 600000\nBEGIN IMMEDIATE;\nSELECT 'held';\n")
    guard child.line() == "held" else { throw Failure("no lock: \(child.finish())") }
    return child
  }

  @Test("only rows that the table refuses are buried, with SQLite's words")
  func badRows() throws {
    try scratch.sh(
      """
      sqlite3 logs.db "CREATE TABLE logs (id TEXT PRIMARY KEY, data TEXT NOT NULL,
        n INTEGER NOT NULL AS (data ->> 'n') STORED UNIQUE, CHECK (n < 1000))"
      """
    ).expect("")
    let lines = (1...400).map { #"{"n":\#($0)}"# }
    let bad = [#"{"m":1}"#, #"{"n":4000}"#, #"{"n":7,"again":true}"#]
    let all = lines[..<200] + bad + lines[200...]
    try scratch.sh("pipe enqueue --raw --quiet", input: all.joined(separator: "\n")).expect("")
    try run().expect("", errors: nil, status: 1)
    #expect(try count() == 400)
    #expect(
      try scratch.buried() == [
        bad[0]: "NOT NULL constraint failed: logs.n", bad[1]: "CHECK constraint failed: n < 1000",
        bad[2]: "UNIQUE constraint failed: logs.n",
      ])
  }

  @Test("redelivered items are not stored again, not even items of an id request")
  func redelivery() throws {
    let ids = try scratch.store(#"{"ids":[7,8]}"#, #"{"n":1.50,\#t"é":"'); \u0000"}"#)
    try scratch.sh("cp -r queue again").expect("")
    try run().expect("")
    try run(["PIPE_QUEUE": scratch.path("again")]).expect("")
    #expect(
      try ask("SELECT id || ' ' || data FROM logs ORDER BY id") == [
        "\(ids[0]) 7", "\(ids[0])-2 8", #"\#(ids[1]) {"n":1.50,\#t"é":"'); \u0000"}"#,
      ])
  }

  @Test("the sink waits for a file that another process has locked")
  func busy() throws {
    try scratch.store("1")
    try run().expect("")
    try scratch.store("2")
    let hold = try hold()
    let consumer = try scratch.start(line: sink, sinkEnvironment)
    #expect(consumer.errorLine()?.contains("database is locked (SQLITE_BUSY)") == true)
    hold.finish().expect("held\n")
    consumer.finish().expect("", errors: nil)
    #expect(try count() == 2)
  }

  @Test("a file that cannot be used stops the consumer, no attempt counted")
  func settings() throws {
    try scratch.store("1")
    try scratch.sh("echo 'no database' > text.db; sqlite3 other.db 'CREATE TABLE logs (x)'").expect(
      "")
    for (file, words) in [
      ("text.db", "file is not a database"), ("none/logs.db", "unable to open database file"),
      ("other.db", "no column named"), ("''", "no file given"), (":memory:", "stores nothing"),
    ] {
      let run = try scratch.sh("\(Scratch.sink("sqlite")) \(file)", sinkEnvironment)
      run.expect("", errors: nil, status: 69)
      #expect(run.errors.contains(words), run.story)
    }
    #expect(try scratch.attempts() == ["1 1"])
  }

  @Test("the sink stores nothing in a removed file and creates a new one")
  func removed() throws {
    try scratch.store("1", "2")
    for name in ["first", "second"] {
      try scratch.sh("pipe batch -n 1 --size 1 --hold 1h > \(name)").expect("")
    }
    let command = [Scratch.example("sinks/sqlite"), "logs.db"]
    let child = try scratch.start(command, sinkEnvironment)
    child.feed(try scratch.read("first"))
    #expect(child.line() != nil)
    try scratch.sh("rm logs.db*").expect("")
    child.feed(try scratch.read("second"))
    #expect(child.line() != nil)
    child.finish().expect(errors: nil)
    #expect(try ask("SELECT data FROM logs") == ["2"])
  }

  @Test("the sink waits for a full disk, and gives all items back unharmed")
  func full() throws {
    try scratch.store("1")
    // The largest file that the sink may write: smaller than the file of a database.
    try scratch.write(
      "ulimit -f 4; SINK_WAIT=0.2 exec '\(Repository.path)/examples/sinks/sqlite' logs.db\n",
      to: "sink")
    let run = try scratch.sh("pipe consume --stream -- bash sink", sinkEnvironment)
      .expect("", errors: nil, status: 69)
    #expect(run.errors.contains("SQLITE_FULL") || run.errors.contains("SQLITE_IOERR"), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("A queue in PostgreSQL", .needsFleet)
struct FleetTests {
  private let fleet: Fleet

  init() throws { fleet = try Fleet() }

  @Test("lines come out by priority, byte for byte, and their status is known")
  func flow() throws {
    let lines = [
      #"{"text":"é \"x\" \\ 10000000000000000007","priority":"LOW"}"#,
      #"{"ids":[9007199254740993,2,10000000000000000007,4],"priority":"HIGH"}"#, #"{"n":1.50}"#,
    ]
    let ids = try fleet.sh(
      "pipe enqueue --raw", input: lines.joined(separator: "\n") + "\n"
    ).expect().receipts
    #expect(ids.count == 3)
    try fleet.sh("pipe consume -n 1 --size 3").expect("9007199254740993\n2\n10000000000000000007\n")
    let status = try fleet.sh("pipe status \(ids[1])").expect().output
    #expect(
      status.contains(#""status":"triggered""#)
        && status.contains(#""ids":[4],"status":"yet_to_start""#))
    try fleet.sh("pipe consume").expect("4\n\(lines[2])\n\(lines[0])\n")
    try fleet.sh("pipe status \(ids.joined(separator: " ")) | grep -c completed").expect("3\n")
    try fleet.sh("pipe list --state done | wc -l").expect("3\n")
  }

  @Test("a failed batch comes back, its last attempt buries it, and a dead letter can be retried")
  func failures() throws {
    try fleet.sh("pipe init --retries 1; seq 3 | pipe enqueue --raw --quiet").expect()
    for _ in 0..<2 {
      try fleet.sh("pipe consume --size 3 -- sh -c 'cat; echo why >&2; exit 7'").expect(
        nil, errors: nil, status: 1)
    }
    let dead = try fleet.sh("pipe dead | jq -c '[.data, .exit_status, (.history | length)]'")
    dead.expect("[1,7,2]\n[2,7,2]\n[3,7,2]\n")
    try fleet.sh("pipe retry --all | wc -l; pipe consume").expect("3\n1\n2\n3\n")
    #expect(try fleet.census() == "0 0 0 0")
  }

  @Test("batch and ack settle lines, a hold ends by the clock, and a claim is settled once")
  func acknowledgements() throws {
    try fleet.sh("seq 4 | pipe enqueue --raw --quiet").expect()
    try fleet.sh("pipe batch --size 3 -n 1 | pipe ack").expect()
    let line = try fleet.sh("pipe batch --hold 1h").expect().output
    #expect(try fleet.census() == "0 1 0 0")
    try fleet.sh("pipe consume").expect()
    try fleet.sh("pipe ack", input: line).expect()
    try fleet.sh("pipe ack", input: line).expect("", errors: nil, status: 76)
    #expect(try fleet.census() == "0 0 0 0")
  }

  @Test("the claims of a killed consumer are ready again, those of its living command are not")
  func deaths() throws {
    try fleet.sh("seq 2 | pipe enqueue --raw --quiet").expect()
    let gate = try Gate(fleet.scratch)
    let alone = try fleet.start("pipe batch -n 1")
    #expect(alone.line() != nil)
    alone.signal(SIGKILL)
    _ = alone.finish()
    try fleet.sh("pipe consume -n 1").expect("1\n")
    let handler = try fleet.start("pipe consume -- sh -c 'echo began; read go < gate'")
    #expect(handler.line() == "began")
    handler.signal(SIGKILL)
    handler.reap()
    try fleet.sh("pipe consume").expect()
    #expect(try fleet.census() == "0 1 0 0")
    gate.letPass()
    _ = handler.finish()
    try fleet.sh("pipe consume").expect("2\n")
  }

  @Test(
    "a command that runs while the server crashes and restarts is acknowledged, and no other takes its item"
  )
  func restart() throws {
    try fleet.sh("echo 1 | pipe enqueue --raw --quiet").expect()
    let gate = try Gate(fleet.scratch)
    let handler = try fleet.start(
      "pipe consume -- sh -c 'echo began; read go < gate; echo ended'")
    #expect(handler.line() == "began")
    // A claim is not flushed at once; a crash may undo it, and its item is handed out again.
    _ = try fleet.ask("checkpoint")
    fleet.server.crash()
    try fleet.server.start()
    try fleet.sh("pipe consume").expect()
    gate.letPass()
    handler.finish().expect("began\nended\n")
    #expect(try fleet.census() == "0 0 0 0")
    try fleet.sh("pipe consume").expect()
  }

  @Test(
    "a consumer whose server falls silent ends its commands before the server gives its claims away"
  )
  func fencing() throws {
    try fleet.sh("echo 1 | pipe enqueue --raw --quiet").expect()
    _ = try fleet.ask("update format set lost = 4000000")
    let handler = try fleet.start(
      "pipe consume -- sh -c 'trap \"echo fenced; exit 1\" TERM; echo began; sleep 600 & wait'"
    )
    #expect(handler.line() == "began")
    try fleet.server.freeze()
    #expect(handler.line() == "fenced")
    try fleet.server.thaw()
    let run = handler.finish()
    #expect(run.errors.contains("the server was out of reach"), run.story)
    try fleet.sh("pipe consume").expect("1\n")
  }

  @Test("a waiting consumer is woken by an entry, and by nothing while nothing comes")
  func waking() throws {
    let consumer = try fleet.start("pipe consume --follow")
    try wait(until: {
      try fleet.ask("select count(*) from pg_locks where locktype = 'advisory' and objid = 3") == [
        "1"
      ]
    })
    for line in ["1", "2"] {
      try fleet.sh("echo \(line) | pipe enqueue --raw --quiet").expect()
      #expect(consumer.line() == line)
    }
    consumer.signal(SIGTERM)
    #expect(consumer.finish().ending == .exited(0))
  }

  @Test("entries keep their ids on their way to the server and back")
  func routes() throws {
    let ids = try fleet.scratch.sh("seq 3 | pipe enqueue -q local --raw", [:]).expect().receipts
    try fleet.sh("pipe route -q local --to \(fleet.address)").expect(nil)
    try fleet.sh("pipe list | jq -r .id").expect(ids.joined(separator: "\n") + "\n")
    // Stored again, as after a crash between the two queues.
    try fleet.sh("pipe list | pipe enqueue --quiet; pipe list | wc -l").expect("3\n")
    try fleet.sh("pipe route --to back").expect(nil)
    try fleet.sh("pipe list -q back | jq -r .id").expect(ids.joined(separator: "\n") + "\n")
  }

  @Test("a pause stops consumers, a bound stops producers, and a delay is kept")
  func limits() throws {
    try fleet.sh(
      "pipe init --max-items 2; seq 2 | pipe enqueue --raw --quiet; pipe pause --reason why"
    ).expect()
    let paused = try fleet.sh("pipe consume")
    #expect(paused.output.isEmpty && paused.errors.contains("paused: why"), paused.story)
    let full = try fleet.sh("echo 3 | pipe enqueue --raw")
    #expect(
      full.ending == .exited(75) && full.errors.contains("2 items are not done, at most 2"),
      full.story)
    try fleet.sh("pipe resume; pipe consume; echo 3 | pipe enqueue --raw --quiet --delay 1h")
      .expect("1\n2\n")
    try fleet.sh("pipe consume; pipe list --state later | jq -c .data").expect("3\n")
  }

  @Test(
    "what cannot keep the promises of a queue is refused",
    arguments: [
      ("postgres://a:secret@h/d/q", 64, "an address with a password"),
      ("postgres://h/d", 64, "is not postgres://"),
      ("postgres://h/d/q;drop", 64, "the name of a queue"),
      ("postgres://127.0.0.1:1/d/q", 69, "Connection refused"),
    ])
  func refusals(address: String, status: Int32, reason: String) throws {
    let run = try fleet.sh("pipe list -q '\(address)'")
    #expect(run.ending == .exited(status) && run.errors.contains(reason), run.story)
  }

  @Test(
    "a database with another encoding and a server that does not flush are refused, unless forced")
  func settings() throws {
    _ = try fleet.server.ask("create database old encoding SQL_ASCII locale 'C' template template0")
    let old = fleet.address.replacing("/postgres/jobs", with: "/old/jobs")
    let encoding = try fleet.sh("pipe init -q \(old)")
    #expect(encoding.ending == .exited(78) && encoding.errors.contains("not UTF8"), encoding.story)
    _ = try fleet.server.ask("alter system set fsync = off")
    _ = try fleet.server.ask("select pg_reload_conf()")
    try wait(until: { try fleet.server.ask("show fsync") == ["off"] })
    let fsync = try fleet.sh("pipe list")
    #expect(
      fsync.ending == .exited(78) && fsync.errors.contains("loses data in a crash"), fsync.story)
    try fleet.sh("pipe list --force").expect()
  }
}

@Suite("An address without pipe-postgres")
struct MissingHelperTests {
  @Test("the static pipe says what it needs", .needsStaticPipe)
  func missing() throws {
    try Scratch().sh("pipe list -q postgres://h/d/q").expect(
      "",
      errors:
        "pipe list: postgres://h/d/q: queues in PostgreSQL need pipe-postgres, which is not installed\n",
      status: 69)
  }

  @Test("an address runs the pipe-postgres beside pipe, with the same words", .needsStaticPipe)
  func runs() throws {
    let scratch = try Scratch()
    try scratch.sh(
      """
      mkdir bin; cp "$(command -v pipe)" bin/pipe; printf '#!/bin/sh\\necho "$0" "$@"\\n' > bin/pipe-postgres
      chmod +x bin/pipe-postgres
      """
    ).expect("")
    try scratch.sh("bin/pipe list -q postgres://h/d/q | sed 's|.*/||'").expect("q\n")
    try scratch.sh("PIPE_QUEUE=postgres://h/d/q bin/pipe status X").expect(
      "\(scratch.path)/bin/pipe-postgres status X\n")
    try scratch.sh("bin/pipe route -q a --to=postgres://h/d/q").expect(nil)
  }
}

extension Trait where Self == Needs {
  /// Requires that the `pipe` under test was built without the trait Postgres.
  static var needsStaticPipe: Needs {
    Needs {
      let run = try? Scratch().sh("pipe list -q postgres://127.0.0.1:1/d/q 2>&1")
      return run?.output.contains("pipe-postgres") == true
        ? nil : "this pipe was built with --traits Postgres"
    }
  }
}

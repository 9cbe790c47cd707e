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
    try waitForRelease()
    try fleet.sh("pipe consume -n 1").expect("1\n")
    let handler = try fleet.start("pipe consume -- sh -c 'echo began; read go < gate'")
    #expect(handler.line() == "began")
    handler.signal(SIGKILL)
    handler.reap()
    try fleet.sh("pipe consume").expect()
    #expect(try fleet.census() == "0 1 0 0")
    gate.letPass()
    _ = handler.finish()
    try waitForRelease()
    try fleet.sh("pipe consume").expect("2\n")
  }

  /// The server releases the claims of a process once it has seen the end of its connection.
  private func waitForRelease() throws {
    try wait(until: { try fleet.ask("select count(*) from owner_locks()") == ["0"] })
  }

  @Test("a consumer whose claim is gone when its command ends has status 76")
  func lostClaim() throws {
    let server = "postgresql://postgres@127.0.0.1:\(fleet.server.port)/postgres"
    try fleet.sh("echo 1 | pipe enqueue --raw --quiet").expect()
    try fleet.sh("pipe consume -- psql -qc 'delete from jobs.span' \(server)")
      .expect("", errors: nil, status: 76)
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
    handler.finish().expect("began\nended\n", errors: nil)
    #expect(try fleet.census() == "0 0 0 0")
    try fleet.sh("pipe consume").expect()
  }

  @Test(
    "a command that runs while one session crashes is acknowledged, and no other takes its item")
  func crashOfSession() throws {
    try fleet.sh("echo 1 | pipe enqueue --raw --quiet").expect()
    let gate = try Gate(fleet.scratch)
    let handler = try fleet.start("pipe consume -- sh -c 'echo began; read go < gate; echo ended'")
    #expect(handler.line() == "began")
    _ = try fleet.ask("checkpoint")
    // The server ends all sessions and recovers, without a new start.
    let writer = "select pid from pg_stat_activity where backend_type = 'walwriter'"
    let victim = try fleet.ask(writer)
    try fleet.scratch.sh("kill -KILL \(victim[0])").expect("")
    try wait(until: {
      let found = try fleet.server.psql(writer).lines
      return found.count == 1 && found != victim
    })
    try fleet.sh("pipe consume").expect()
    gate.letPass()
    handler.finish().expect("began\nended\n", errors: nil)
    #expect(try fleet.census() == "0 0 0 0")
  }

  private func expect(_ text: String, from child: Child) throws {
    while let line = child.errorLine() { if line.contains(text) { return } }
    throw Failure("it ended: \(child.finish().story)")
  }

  @Test("a consumer that follows waits for a server that is away")
  func away() throws {
    let consumer = try fleet.start("pipe consume --follow")
    try fleet.sh("echo 1 | pipe enqueue --raw --quiet").expect()
    #expect(consumer.line() == "1")
    for number in 2...3 {
      fleet.server.crash()
      try expect("waiting for the server", from: consumer)
      try fleet.server.start()
      try fleet.sh("echo \(number) | pipe enqueue --raw --quiet").expect()
      // The crash may undo the last acknowledgement: then its item comes again.
      while let line = consumer.line(), line != "\(number)" { #expect(Int(line)! < number) }
    }
    // Nothing is on its way.
    try wait(until: { try fleet.census() == "0 0 0 0" || !consumer.isRunning })
    if !consumer.isRunning { throw Failure("it ended: \(consumer.finish().story)") }
    fleet.server.crash()
    try expect("waiting for the server", from: consumer)
    consumer.signal(SIGTERM)
    #expect(consumer.finish().ending == .exited(0))
  }

  @Test("a route keeps entries while the server is away, and each arrives once")
  func storeAndForward() throws {
    try fleet.sh("pipe init -q local").expect(nil, errors: nil)
    let route = try fleet.start("pipe route -q local --to '\(fleet.address)' --follow")
    var ids: [String] = []
    for round in 1...3 {
      let line = #"{"ids":[\#(round),2,3],"priority":"HIGH"}"#
      ids += try fleet.scratch.sh(
        "printf '%s\n' '\(line)' \(round) | pipe enqueue -q local --raw", [:]
      ).expect().receipts
      // It runs.
      try wait(until: { try fleet.sh("pipe list").lines.count == ids.count })
      if round < 3 {
        fleet.server.crash()
        ids += try fleet.scratch.sh("seq 50 | pipe enqueue -q local --raw", [:]).expect().receipts
        try expect("waiting for the server", from: route)
        try fleet.server.start()
        try expect("the server is back", from: route)
      }
    }
    try wait(until: {
      try fleet.scratch.sh("pipe list -q local --state ready --state claimed", [:]).output.isEmpty
    })
    route.signal(SIGTERM)
    _ = route.finish()
    let there = try fleet.sh("pipe list | jq -r .id").expect(nil).lines
    #expect(there.sorted() == ids.sorted())
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

  @Test("waiting items are cancelled, purged, rescheduled and moved, and no others")
  func control() throws {
    let ids = try fleet.sh("seq 6 | pipe enqueue --raw").expect().receipts
    try fleet.sh("pipe cancel \(ids[3])").expect(nil)
    try fleet.sh("pipe change \(ids[2]) --delay 1h").expect(nil)
    try fleet.sh("pipe change \(ids[5]) --priority HIGH").expect(nil)
    #expect(try fleet.census() == "4 0 1 1")
    try fleet.sh("pipe status \(ids[5]) | jq -r .status").expect("yet_to_start\n")
    try fleet.sh("pipe dead | jq -c '[.data, .reason]'").expect("[4,\"cancelled\"]\n")
    try fleet.sh("pipe consume").expect("6\n1\n2\n5\n")
    try fleet.sh("pipe change \(ids[2]) --now | jq -c .changed; pipe consume").expect("1\n3\n")
    // An entry that was handed out keeps its priority.
    try fleet.sh("pipe change \(ids[0]) --priority HIGH").expect(nil, errors: nil, status: 1)
    try fleet.sh(
      "pipe retry --all | wc -l; seq 7 9 | pipe enqueue --raw --quiet --delay 1h; pipe purge --yes --state later"
    ).expect(nil, errors: nil)
    try fleet.sh("pipe consume; pipe dead | wc -l").expect("4\n0\n")
    #expect(try fleet.census() == "0 0 0 0")
    // The numbers of the entry that moved are not given again.
    try fleet.sh("seq 3 | pipe enqueue --raw --quiet; pipe consume").expect("1\n2\n3\n")
  }

  @Test("a claimed item is not cancelled, unless its command is ended first")
  func running() throws {
    let id = try fleet.sh("echo 1 | pipe enqueue --raw").expect().receipts[0]
    let handler = try fleet.start("pipe consume -- sh -c 'echo began; exec sleep 600'")
    #expect(handler.line() == "began")
    try fleet.sh("pipe cancel \(id)").expect(nil, errors: nil, status: 1)
    try fleet.sh("pipe cancel --running \(id)").expect(nil)
    #expect(handler.finish().errors.contains("killed by signal 15"))
    #expect(try fleet.census() == "0 0 0 1")
  }

  @Test("equal entries and equal keys are stored once within the window")
  func dedup() throws {
    let enqueue = "pipe enqueue --dedup 1h"
    let first = try fleet.sh("seq 2 | \(enqueue) --raw").expect().receipts
    try fleet.sh("printf '2\\n3\\n3\\n' | \(enqueue) --raw | grep -c duplicate").expect("2\n")
    #expect(
      try fleet.sh("echo 2 | \(enqueue) --raw | jq -r .ingestion_id").output == first[1] + "\n")
    // Of equal keys, the first line is stored.
    let keyed = "seq 7 8 | pipe ingest | jq -c '.key = \"k\"'"
    try fleet.sh(
      "\(keyed) | \(enqueue) | grep -c duplicate; \(keyed) | \(enqueue) | grep -c duplicate"
    )
    .expect("1\n2\n")
    try fleet.sh("echo 1 | pipe enqueue --raw --quiet").expect()
    try fleet.sh("pipe consume").expect("1\n2\n3\n7\n1\n")
  }

  @Test("a dry run shows the batches and takes nothing")
  func rehearsal() throws {
    try fleet.sh("seq 5 | pipe enqueue --raw --quiet").expect()
    try fleet.sh("pipe batch --dry-run --size 2 --every 4s | jq -c '[.at, (.items | map(.data))]'")
      .expect(nil)
    #expect(try fleet.census() == "5 0 0 0")
    try fleet.sh("pipe consume --size 5").expect("1\n2\n3\n4\n5\n")
  }

  @Test("jobs run, and what they print is kept")
  func jobs() throws {
    let id = try fleet.sh("pipe submit -- sh -c 'echo out; echo err >&2; exit 3'").expect().output
      .trimmingCharacters(in: .newlines)
    try fleet.sh("pipe init --retries 0; pipe work").expect(nil, errors: nil, status: 1)
    try fleet.sh("pipe log \(id)").expect("out\nerr\n", errors: nil)
    try fleet.sh("pipe log --json \(id) | jq -c '[.exit_status, .attempt]'").expect("[3,1]\n")
  }

  @Test("statistics count what was settled, also after they are summed up")
  func statistics() throws {
    try fleet.sh("seq 30 | pipe enqueue --raw --quiet; pipe consume --size 3 --tag t").expect(nil)
    let before = try fleet.sh("pipe stats --json | jq -c .latency").expect().output
    #expect(before.contains("30"), "\(before)")
    // As if there were many lines.
    _ = try fleet.ask("insert into settled (place, line) values (100000, 'x')")
    try fleet.sh("echo 1 | pipe enqueue --raw --quiet; pipe consume --tag t").expect("1\n")
    #expect(try fleet.ask("select count(*) < 12 from settled") == ["t"])
    #expect(try fleet.sh("pipe stats --json | jq -c .latency").output.contains("31"))
  }

  @Test("an option that needs a directory is refused")
  func options() throws {
    let promote = try fleet.sh("pipe init --promote-after 1h")
    promote.expect("", errors: nil, status: 64)
    #expect(promote.errors.contains("not available for a queue in PostgreSQL"))
    try fleet.sh("pipe init --min-free 1MiB").expect("", errors: nil, status: 64)
    try fleet.sh("pipe init --private").expect("", errors: nil, status: 64)
    try fleet.sh("pipe init -q local --lost 1m").expect("", errors: nil, status: 64)
    try fleet.sh("pipe init --lost 14s").expect("", errors: nil, status: 64)
    try fleet.sh("pipe init --lost 1m").expect()
    #expect(try fleet.ask("select lost from format") == ["60000000"])
  }

  @Test(
    "what cannot keep the promises of a queue is refused",
    arguments: [
      ("postgres://a:secret@h/d/q", 64, "an address with a password"),
      ("postgres://h/d/q?password=x", 64, "an address with a password"),
      ("postgres://h/d/q?%70assword=x", 64, "an address with a password"),
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
    try fleet.server.set("fsync", "off")
    try wait(until: { try fleet.server.ask("show fsync") == ["off"] })
    let fsync = try fleet.sh("pipe list")
    #expect(
      fsync.ending == .exited(78) && fsync.errors.contains("loses data in a crash"), fsync.story)
    try fleet.sh("pipe list --force").expect()
  }
}

import TestSupport
import Testing

@Suite("What a server has on disk", .needsFleet)
struct FleetFlushTests {
  private let fleet: Fleet

  init() throws {
    fleet = try Fleet()
    // The longest that a commit may wait to be written, unless a session flushes it.
    try fleet.server.set("wal_writer_delay", "10s")
  }

  /// The server loses what it has not flushed.
  private func crash() throws {
    fleet.server.crash()
    try fleet.server.start()
  }

  @Test("an entry with a receipt survives a crash of the server")
  func receipts() throws {
    for number in 1...5 {
      let receipt = try fleet.sh("echo \(number) | pipe enqueue --raw").expect()
      try crash()
      try fleet.sh("pipe status \(receipt.receipts[0]) | jq -r .status").expect("yet_to_start\n")
    }
  }

  @Test("a batch of a paced consumer is handed out only once its turn is on disk")
  func turns() throws {
    try fleet.sh("echo 1 | pipe enqueue --raw --quiet").expect("")
    let consumer = try fleet.start(
      "pipe consume -n 1 --every 1h -- sh -c 'echo taken; exec sleep 600'")
    #expect(consumer.line() == "taken")
    try crash()
    #expect(try fleet.ask("select items from pace") == ["1"])
  }

  @Test("an entry whose wait for a standby was cancelled has no receipt and an unknown outcome")
  func cancelledWait() throws {
    try fleet.server.set("synchronous_standby_names", "absent")
    // The checkpointer is the process that makes commits wait: now it has read the setting.
    _ = try fleet.ask("checkpoint")
    let producer = try fleet.start("echo 1 | pipe enqueue --raw")
    let wait = "from pg_stat_activity where wait_event = 'SyncRep'"
    try TestSupport.wait(
      until: { try fleet.ask("select count(*) \(wait)") == ["1"] }, "the wait for a standby")
    _ = try fleet.ask("select pg_cancel_backend(pid) \(wait)")
    producer.finish().expect("", errors: nil, status: 74)
  }
}

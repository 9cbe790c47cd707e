import Foundation
import TestSupport
import Testing

@Suite("status --wait")
struct StatusWaitTests {
  private let scratch: Scratch
  private let ids: [String]

  init() throws {
    scratch = try Scratch()
    ids = try scratch.store(#"{"ids":[1,2]}"#, "3")
  }

  private func words(_ run: Run) throws -> [String] {
    try run.objects().map { $0["status"] as? String ?? "none" }
  }

  @Test("--wait exits with 0 when all entries are completed, woken by the last settlement")
  func completed() throws {
    let child = try scratch.start("status", "--wait", ids[1], ids[0])
    try child.waitUntilWatching()
    try scratch.pipe("consume").expect("1\n2\n3\n")
    let run = child.finish()
    run.expect()
    #expect(try words(run) == ["completed", "completed"])
    #expect(try run.objects().map { $0["ingestion_id"] as? String } == [ids[1], ids[0]])
    try scratch.pipe("status", "--wait", ids[0]).expect()
  }

  @Test("--wait exits with 1 when an entry has failed, and not while a part of it can still run")
  func failed() throws {
    let child = try scratch.start("status", "--wait", ids[0], ids[1])
    try child.waitUntilWatching()
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    #expect(try scratch.words(ids[0])[0] == "triggered", "item 2 can still run")
    try scratch.pipe("consume").expect("2\n3\n")
    let run = child.finish()
    run.expect(status: 1)
    #expect(try words(run) == ["failed", "completed"])
  }

  @Test("--wait exits with 75 at --timeout, and names the unfinished entry")
  func timeout() throws {
    try scratch.sh("pipe consume -n 2").expect("1\n2\n")
    let start = uptime()
    let run = try scratch.pipe("status", "--wait", "--timeout", "200ms", ids[0], ids[1])
    #expect(uptime() >= start + 0.2)
    run.expect(
      errors: "pipe status: \(ids[1]): still yet_to_start at the end of --timeout;"
        + " pipe explain says why\n", status: 75)
    #expect(try words(run) == ["completed", "yet_to_start"])
    try scratch.pipe("status", "--wait", "--timeout", "0s", ids[1]).expect(errors: nil, status: 75)
  }

  @Test("--wait does not wait for an unknown id, and exits with 1")
  func unknown() throws {
    let none = "01M7YFR55BHYP5BSPG0DPTADCJ"
    try scratch.pipe("consume").expect("1\n2\n3\n")
    let run = try scratch.pipe("status", "--wait", none, ids[0])
    run.expect(errors: "pipe status: \(none): no such id in \(scratch.path)/queue\n", status: 1)
    #expect(try words(run) == ["completed"])
  }

  @Test("--wait sees dead letters that were retried or dropped")
  func deadLetters() throws {
    try scratch.sh("pipe consume -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.pipe("status", "--wait", ids[0]).expect(errors: "", status: 1)
    try scratch.pipe("retry", ids[0]).expect()
    let child = try scratch.start("status", "--wait", ids[0])
    try child.waitUntilWatching()
    try scratch.pipe("consume").expect("1\n2\n")
    child.finish().expect()
    try scratch.pipe("drop", "--all").expect()
    try scratch.pipe("status", "--wait", ids[1]).expect(status: 1)
  }

  @Test("--wait rejects invalid options")
  func usage() throws {
    for options in ["--timeout 5s \(ids[0])", "--wait", "--wait --timeout 5 \(ids[0])"] {
      try scratch.sh("pipe status \(options)").expect("", errors: nil, status: 64, options)
    }
  }
}

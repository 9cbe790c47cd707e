import Foundation
import Glibc
import TestSupport
import Testing

/// A device that is always full, under the name of the log: writes to it fail as on a full disk.
private enum FullLog {
  /// Makes a device like /dev/full.
  static func make(_ path: String) -> Bool { mknod(path, S_IFCHR | 0o600, dev_t(1 << 8 | 7)) == 0 }

  static let needs = Needs {
    guard let scratch = try? Scratch(), make(scratch.path("full")),
      (try? scratch.sh("! echo > full 2> /dev/null").ending) == .exited(0)
    else { return "no device can be made here (root)" }
    return nil
  }
}

@Suite("Recording of settled batches")
struct RecordingTests {
  private let scratch: Scratch
  private let complaint = "items settled meanwhile are not in the statistics\n"

  init() throws {
    scratch = try Scratch()
    try scratch.store("1", "2", "3", "4")
  }

  /// Columns after the checksum and the time in each line of the log.
  private func recorded() throws -> [[String]] {
    String(decoding: try scratch.read("queue/stats/log"), as: UTF8.self).split(separator: "\n")
      .map { $0.split(separator: " ").dropFirst(2).map(String.init) }
  }

  /// Consumes all items one by one, and expects one complaint that they cannot be recorded.
  private func check(_ prefix: [String], _ reason: String) throws {
    let run = try scratch.run(prefix + [Binary.path, "consume", "--size", "1"])
    let path = scratch.path("queue/stats")
    #expect(run.lines == ["1", "2", "3", "4"] && run.ending == .exited(0), run.story)
    #expect(
      run.errors.hasPrefix("pipe consume: \(path)")
        && run.errors.hasSuffix(": \(reason); \(complaint)"),
      run.story)
    #expect(run.errors.filter { $0 == "\n" }.count == 1, run.story)
    try scratch.pipe("list", "--state", "ready").expect("")
  }

  @Test("the record has the result of the command, or the one given to ack")
  func outcomes() throws {
    try scratch.prepare("init", "--backoff", "1h..1h")
    try scratch.store("5")
    try scratch.pipe("consume", "-n", "1", "--", "true").expect("")
    try scratch.pipe("consume", "-n", "1", "--", "false").expect("", errors: nil, status: 1)
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect("", errors: nil, status: 1)
    try scratch.sh("pipe batch -n 1 --size 1 --hold 1m | pipe ack").expect("")
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 126'").expect("", errors: nil, status: 69)
    let found = try recorded()
    #expect(found.map { $0[1] } == ["done", "retried", "buried", "done"], "\(found)")
    #expect(found.allSatisfy { $0[0] == "-" && $0[3] == "1" && Int($0[2]) != nil }, "\(found)")
  }

  @Test("the recorded time counts from the claim, not from the ack")
  func service() throws {
    try scratch.sh(
      """
      pipe batch -n 1 --hold 1m > claim
      for tick in 0 1 2 3 4 5 6 7 8 9 10; do
        read was rest < /proc/uptime
        now=$was
        while [ "$now" = "$was" ]; do read now rest < /proc/uptime; done
      done
      pipe ack < claim
      """
    ).expect("")
    let service = try #require(try recorded().first.flatMap { Int($0[2]) })
    // That clock counts hundredths of a second, and the first tick may have been short.
    #expect(service > 100_000)
  }

  @Test(
    "items are consumed even if the log cannot be written, and one line says so", .needsPermissions)
  func readOnly() throws {
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    try scratch.store("5")
    chmod(scratch.path("queue/stats/log"), 0o400)
    let run = try scratch.run(Unprivileged.prefix + [Binary.path, "consume", "--size", "1"])
    run.expect(
      "2\n3\n4\n5\n",
      errors:
        "pipe consume: \(scratch.path)/queue/stats/log: cannot open: Permission denied; \(complaint)"
    )
  }

  @Test(
    "items are consumed even if stats/ cannot be opened or created, and one line says so",
    .needsPermissions, arguments: [0o000, 0o500])
  func closed(mode: Int) throws {
    mkdir(scratch.path("queue/stats"), mode_t(mode))
    defer { chmod(scratch.path("queue/stats"), 0o700) }
    try check(Unprivileged.prefix, "cannot open: Permission denied")
  }

  @Test("items are consumed even if the disk is full, and one line says so", FullLog.needs)
  func full() throws {
    mkdir(scratch.path("queue/stats"), 0o700)
    #expect(FullLog.make(scratch.path("queue/stats/log")))
    try check([], "cannot write: No space left on device")
  }
}

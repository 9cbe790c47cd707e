import Foundation
import TestSupport
import Testing

@Suite("Damaged statistics")
struct StatsDamageTests {
  private let scratch: Scratch

  /// Three items are done and three wait.
  init() throws {
    scratch = try Scratch()
    try scratch.store("1", "2", "3", "4", "5", "6")
    try scratch.pipe("consume", "-n", "3", "--", "true").expect("")
  }

  // Expects the item counts unless a log cannot be read, and at most one line about stats/.
  private func check(_ run: Run) {
    if run.ending == .exited(0) {
      #expect(run.lines.count == 1, run.story)
      #expect(Figures(root: run.output.object).items("done") == [0, 3, 0], run.story)
    } else {
      #expect([74, 77].contains { run.ending == .exited($0) }, run.story)
      #expect(run.output.isEmpty && !run.errors.isEmpty, run.story)
    }
    let about = "pipe stats: \(scratch.path)/queue/stats"
    #expect(run.errors.isEmpty || run.errors.hasPrefix(about), run.story)
    #expect(run.errors.split(separator: "\n").count <= 1, run.story)
  }

  @Test(
    "damaged statistics give sense or one clear line, and items are consumed all the same",
    arguments: [
      "rm -r stats; echo x > stats", "rm -r stats; mkfifo stats", "rm -r stats; ln -s / stats",
      "rm -r stats; ln -s nowhere stats", "rm -r stats", "rm stats/*", "echo x > stats/log",
      "head -c 3000000 /dev/urandom > stats/log", "head -c 3000000 /dev/zero >> stats/log",
      "truncate -s -9 stats/log", "truncate -s 1T stats/log; truncate -s 5M stats/log",
      "rm stats/log; mkfifo stats/log", "rm stats/log; mkdir stats/log",
      "rm stats/log; ln -s /dev/zero stats/log", "mkfifo stats/log.1", "mkdir stats/log.1",
      "ln -s nowhere stats/log.1", "ln -s log stats/log.1", "mkfifo stats/1.1-1",
      "mkdir stats/1.1-1", "ln -s /dev/zero stats/1.1-1", "touch stats/log.999999999999999999",
      "touch stats/log.99999999999999999999", "touch stats/6.1-9223372036854775807",
      "head -c 100000 /dev/urandom > stats/1.1-1", "mkfifo stats/new", "mkdir stats/new",
      "mkfifo stats/zzz; mkdir stats/zz",
    ])
  func damage(line: String) throws {
    try scratch.sh("cd queue; \(line)").expect("")
    check(try scratch.sh("timeout -k 1 600 pipe stats --json"))
    let run = try scratch.sh("timeout -k 1 600 pipe consume -- cat").expect(
      "4\n5\n6\n", errors: nil)
    #expect(run.errors.isEmpty || run.errors.contains(" not in the statistics"), run.story)
    #expect(run.errors.split(separator: "\n").count <= 1, run.story)
  }

  @Test("stats --prometheus fails rather than restart its counters if stats/ cannot be read")
  func counters() throws {
    try scratch.sh("rm -r queue/stats; echo x > queue/stats").expect("")
    let run = try scratch.pipe("stats", "--prometheus")
    #expect(run.ending != .exited(0) && run.output.isEmpty, run.story)
    #expect(run.errors.hasPrefix("pipe stats: \(scratch.path)/queue/stats: "), run.story)
  }

  @Test("a torn line, and rubbish around the others, cost no other record")
  func torn() throws {
    try scratch.sh(
      "cd queue/stats; (echo rubbish; cat log; printf '\\n0badc0de 12 - do') > x; mv x log"
    )
    .expect("")
    #expect(try scratch.figures().settled == settled(3))
    try scratch.pipe("consume", "--", "true").expect("")
    #expect(try scratch.figures().settled == settled(6))
  }

  @Test(
    "statistics that may not be read or written are reported, and items are consumed",
    .needsPermissions, arguments: ["chmod 0 stats", "chmod 0 stats/log", "chmod 500 stats"])
  func unreadable(line: String) throws {
    try scratch.sh("cd queue; \(line)").expect("")
    defer { _ = try? scratch.sh("chmod -R u+rwX queue") }
    let stats = try scratch.run(Unprivileged.prefix + [Binary.path, "stats", "--json"])
    check(stats)
    #expect(stats.errors.isEmpty == (line == "chmod 500 stats"), stats.story)
    let run = try scratch.run(Unprivileged.prefix + [Binary.path, "consume", "--", "cat"])
    run.expect("4\n5\n6\n", errors: nil)
    #expect(run.errors.split(separator: "\n").count <= 1, run.story)
  }
}

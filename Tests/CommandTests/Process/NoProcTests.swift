import Foundation
import Glibc
import TestSupport
import Testing

@Suite("A system without /proc", .needsMounts)
struct NoProcTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private func sh(_ line: String) throws -> Run {
    try scratch.run(NoProc.prefix + ["bash", "-c", line])
  }

  @Test("commands store, claim, settle and show items without /proc")
  func commands() throws {
    let script = """
      test ! -e /proc/self || exit 99
      pipe --version && seq 4 | pipe enqueue --raw --quiet && pipe consume -n 1
      pipe consume -n 1 -- cat && pipe batch -n 1 | pipe ack --tee | wc -l
      pipe consume --stream -- cat && pipe list --state done | wc -l
      pipe stats --json | wc -l
      """
    let run = try sh(script)
    run.expect(
      "0.2.0\\n1\\n2\\n1\\n4\\n1\\n".replacingOccurrences(of: "\\n", with: "\n"), errors: nil)
  }

  @Test("without /proc the progress of a reader is polled, and one line says so")
  func reader() throws {
    try scratch.store("1", "2")
    let gate = try Gate(scratch)
    let line = "pipe consume | { read go < gate; cat; }"
    let child = try scratch.start(NoProc.prefix + ["bash", "-c", line])
    let complaint =
      "pipe consume: stdout: cannot watch: No such file or directory"
      + " (mount /proc); polling every 200 ms instead"
    #expect(child.errorLine() == complaint)
    gate.letPass()
    child.finish().expect("1\n2\n", errors: complaint + "\n")
    try scratch.pipe("list").expect("")
  }

  @Test("without /proc a new entry wakes a follower, and nothing is reported")
  func follower() throws {
    try scratch.prepare("init")
    let child = try scratch.start(
      NoProc.prefix + [Binary.path, "consume", "--follow", "--", "cat"])
    try scratch.store("1")
    #expect(child.line() == "1")
    child.signal(SIGTERM)
    child.finish().expect("1\n")
  }

  @Test("without /proc commands see an unchanged environment")
  func environment() throws {
    try scratch.store("1", "2")
    let command = "pipe consume --size 1 -n 1 --"
    try sh("unset SWIFT_BACKTRACE; \(command) sh -c 'env | grep ^SWIFT; true'").expect("")
    try sh("SWIFT_BACKTRACE=color=no \(command) printenv SWIFT_BACKTRACE").expect("color=no\n")
  }
}

extension Trait where Self == Needs {
  /// Requires that /proc can be hidden from the programs of a test.
  static var needsMounts: Needs {
    Needs { NoProc.works ? nil : "/proc cannot be hidden here (unshare)" }
  }
}

enum NoProc {
  static let prefix = [
    "unshare", "-mr", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "-",
  ]

  static let works: Bool = {
    guard let scratch = try? Scratch() else { return false }
    return (try? scratch.run(prefix + ["sh", "-c", "test ! -e /proc/self"]).ending) == .exited(0)
  }()
}

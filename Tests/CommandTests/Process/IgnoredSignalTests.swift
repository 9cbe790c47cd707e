import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Signals ignored at start")
struct IgnoredSignalTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init")
  }

  @Test(
    "a follower ignores a signal that was ignored at its start, and another signal ends it",
    arguments: [(SIGINT, SIGTERM), (SIGTERM, SIGINT)],
    [
      "consume --follow", "consume --follow -- cat", "consume --follow --stream -- tee /dev/stderr",
      "batch --follow --hold 1m", "route --follow --to other",
    ])
  func follower(signals: (ignored: Int32, heeded: Int32), command: String) throws {
    let child = try scratch.start([
      "bash", "-c", "trap '' \(signals.ignored); exec pipe \(command)",
    ])
    try child.waitUntilWatching()
    child.signal(signals.ignored)
    try scratch.store("1")
    try wait(until: { try scratch.count("ready") == 0 }, "the item to be taken")
    child.signal(signals.heeded)
    child.finish().expect(nil, errors: nil)
  }

  @Test("the commands of consume ignore a signal that was ignored at its start")
  func command() throws {
    try scratch.store("1")
    try scratch.sh("trap '' INT; pipe consume -- sh -c 'kill -INT $$; cat'").expect("1\n")
  }

  @Test(
    "the gateway ignores a signal that was ignored at its start",
    arguments: [SIGINT, SIGTERM, SIGHUP])
  func gateway(number: Int32) throws {
    let gateway = try Gateway(
      scratch, under: ["bash", "-c", "trap '' \(number); exec \"$@\"", "-"])
    gateway.child.signal(number)
    #expect(try gateway.get("/health").status == 200)
    gateway.child.signal(number == SIGTERM ? SIGINT : SIGTERM)
    let run = gateway.child.finish()
    run.expect("", errors: nil)
    #expect(run.errors.hasSuffix("\npipe serve: stopping\n"), run.story)
  }
}

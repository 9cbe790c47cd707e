import Foundation
import TestSupport
import Testing

@Suite("Odd surroundings")
struct SurroundingsTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  @Test("consume ends even if its parent ignored SIGCHLD", .needs("python3"))
  func ignoredChildren() throws {
    try scratch.store("1", "2")
    let ignore = "import os,signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)"
    try scratch.sh(
      "python3 -c '\(ignore); os.execvp(\"pipe\", [\"pipe\", \"consume\", \"--\", \"cat\"])'"
    ).expect("1\n2\n")
  }

  @Test(
    "a command sees SWIFT_BACKTRACE, which pipe changes for itself, as the user set it",
    arguments: [
      "unset SWIFT_BACKTRACE", "export SWIFT_BACKTRACE=", "export SWIFT_BACKTRACE=color=no",
    ])
  func backtrace(setting: String) throws {
    try scratch.store("1")
    let consume = "pipe consume -- sh -c 'env | grep ^SWIFT > after; true'"
    try scratch.sh("\(setting); env | grep ^SWIFT > before; \(consume); cmp before after").expect()
  }

  @Test("a follower whose queue is removed while it sleeps exits with 66")
  func removed() throws {
    try scratch.pipe("init").expect("")
    let child = try scratch.start("consume", "--follow")
    try child.waitUntilWatching()
    try scratch.sh("rm -rf $PIPE_QUEUE").expect()
    child.finish().expect("", errors: nil, status: 66)
  }

  @Test("a missing segment is reported, and its items are delivered once it is back")
  func missingSegment() throws {
    try scratch.store("1", "2")
    let segment = "queue/segments/MEDIUM/000/000001"
    try scratch.sh("mv \(segment) kept").expect()
    let run = try scratch.pipe("consume")
    run.expect("", errors: nil, status: 74)
    #expect(run.errors.contains("\(segment): is missing"))
    try scratch.sh("mv kept \(segment)").expect()
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("a copy with more segments than its lane end knows loses none of their lines")
  func staleEnd() throws {
    let large = (0..<85).map {
      #"{"n":\#($0),"pad":""# + String(repeating: "x", count: 100_000) + #""}"#
    }
    try scratch.pipe("enqueue", "--raw", "--quiet", input: large.joined(separator: "\n")).expect("")
    let stale = try #require(try scratch.names(in: "queue/end").first { $0.hasPrefix("MEDIUM") })
    try scratch.store("1", "2")
    let fresh = try #require(try scratch.names(in: "queue/end").first { $0.hasPrefix("MEDIUM") })
    try scratch.sh("mv queue/end/\(fresh) queue/end/\(stale)").expect()
    try scratch.store("3")
    try scratch.sh("pipe consume | tail -n 3").expect("1\n2\n3\n")
  }

  @Test("names that many failures left in now/ go once their items are done")
  func manyFailures() throws {
    try scratch.retriesAtOnce()
    let lines = (0..<400).map(String.init)
    try scratch.pipe("enqueue", "--raw", "--quiet", input: lines.joined(separator: "\n")).expect("")
    try scratch.pipe("consume", "-j4", "--", "false").expect(errors: nil, status: 1)
    #expect(try scratch.names(in: "queue/now").count >= 400)
    try scratch.sh("pipe consume --size 1 | wc -l").expect("400\n")
    try scratch.store("1", "2", "3")
    try scratch.sh("for i in 1 2 3; do pipe consume -n1; done").expect("1\n2\n3\n")
    #expect(try scratch.names(in: "queue/now").count < 200)
  }

  @Test("an empty -q is a usage error, and does not mean the user's own queue")
  func emptyQueue() throws {
    try scratch.sh(#"pipe consume -q "$UNSET""#).expect(
      "", errors: "pipe consume: -q is empty; name a directory (see pipe consume --help)\n",
      status: 64)
  }

  @Test("running commands are settled before a fault ends consume", .needsStrace)
  func faultWhileRunning() throws {
    try scratch.store("1", "2", "3")
    let inject = "-e trace=memfd_create -e inject=memfd_create:error=ENFILE:when=3+"
    let command = "pipe consume -j3 -- cat"
    // The third memory file can never be made; the first two commands are done by then.
    try scratch.sh("strace -o /dev/null \(inject) \(command)").expect(errors: nil, status: 75)
    try scratch.pipe("consume", "--envelope").expect(nil)
    try scratch.sh("pipe list --state done | wc -l").expect("3\n")
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The gateway at SIGHUP")
struct ReloadTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.write("first-token-first-token\n", to: "token")
    chmod(scratch.path("token"), 0o600)
  }

  private func status(_ gateway: Gateway, _ token: String) throws -> Int {
    try gateway.post("/log", "1", "Authorization: Bearer \(token)").status
  }

  private let first = "first-token-first-token"
  private let second = "second-token-second-token"

  @Test("the gateway reads its token again and forgets the old one")
  func token() throws {
    let gateway = try Gateway(scratch, "--token-file", "token")
    #expect(try status(gateway, first) == 202)
    try scratch.write(second + "\n", to: "token")
    gateway.child.signal(SIGHUP)
    #expect(gateway.child.errorLine() == "pipe serve: token: the token was reread")
    #expect(try status(gateway, first) == 401)
    #expect(try status(gateway, second) == 202)
    gateway.stop().expect("", errors: nil)
  }

  @Test(
    "the gateway keeps its token if the file is missing, bad or a pipe, and says so",
    arguments: [
      ("rm token", "token: cannot open: No such file or directory"),
      (
        "echo short > token",
        "token: holds no token; write one line of 16 to 4096 printable characters"
      ),
      ("rm token; mkfifo token", "token: holds no token; "),
      ("rm token; mkdir token", "token: cannot read: Is a directory"),
    ])
  func bad(change: String, complaint: String) throws {
    let gateway = try Gateway(scratch, "--token-file", "token")
    try scratch.sh(change).expect()
    gateway.child.signal(SIGHUP)
    let line = gateway.child.errorLine() ?? "nothing"
    #expect(line.hasPrefix("pipe serve: \(complaint)"), "\(line)")
    #expect(line.hasSuffix("; the previous token stays valid"), "\(line)")
    #expect(try status(gateway, first) == 202)
    gateway.stop().expect("", errors: nil)
  }

  @Test("a gateway without a token continues, and a later SIGTERM is its first signal to stop")
  func none() throws {
    let gateway = try Gateway(scratch)
    gateway.child.signal(SIGHUP)
    #expect(try gateway.post("/log", "1").status == 202)
    let run = gateway.stop()
    run.expect("", errors: nil)
    #expect(run.errors.hasSuffix("\npipe serve: stopping\n"), run.story)
  }
}

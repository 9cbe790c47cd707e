import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The systemd units of examples/serve")
struct ServeUnitTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.sh("cp '\(ServeExampleTests.directory)'/pipe-serve.* .").expect("")
  }

  @Test("systemd approves of the units", .needs("systemd-analyze"))
  func approved() throws {
    try scratch.sh(
      """
      sed -i 's|/usr/local/bin/pipe|\(Binary.path)|' pipe-serve.service
      systemd-analyze verify --man=no ./pipe-serve.socket ./pipe-serve.service 2>&1 |
        grep pipe-serve
      """
    ).expect("", status: 1)
  }

  @Test("the service leaves the gateway few rights", .needs("systemd-analyze"))
  func hardened() throws {
    // 0 is best and 10 worst; the option takes tenths.
    try scratch.sh("systemd-analyze security --offline=yes --threshold=15 ./pipe-serve.service")
      .expect()
  }

  @Test(
    "the first connection to the socket starts the gateway with its token",
    .needs("systemd-socket-activate", "curl"))
  func activated() throws {
    try scratch.sh("umask 077; mkdir keys; echo a-token-of-sixteen > keys/token").expect("")
    let command = try settings("ExecStart").joined().replacing(
      "/usr/local/bin/pipe", with: "exec pipe")
    let child = try scratch.start(
      [
        "systemd-socket-activate", "-l", scratch.path("socket"), "-E", "PATH", "-E", "PIPE_QUEUE",
        "-E", "CREDENTIALS_DIRECTORY", "bash", "-c", command,
      ], ["CREDENTIALS_DIRECTORY": scratch.path("keys")])
    #expect(child.errorLine()?.hasPrefix("Listening on ") == true)
    let post = "curl -s --unix-socket socket --json 1 http://localhost/log"
    try scratch.sh(post + " | cut -d '\"' -f 4").expect(
      "send Authorization: Bearer TOKEN\n")
    let run = try scratch.sh(
      "\(post) -w ' %{http_code}' -H 'Authorization: Bearer a-token-of-sixteen'")
    #expect(normalized(run.output) == #"{"ingestion_id":"ULID"} 202"#, run.story)
    child.signal(SIGTERM)
    let end = child.finish()
    #expect(end.ending == .exited(0), end.story)
    #expect(
      end.errors.contains("pipe serve: listening on unix:\(scratch.path("socket"))\n"), end.story)
    try scratch.pipe("consume").expect("1\n")
  }

  @Test(
    "the service allows all system calls of the gateway",
    .needs("systemd-analyze", "strace", "curl"))
  func calls() throws {
    #expect(try settings("SystemCallFilter") == ["@system-service", "~@privileged"])
    let allowed = try names("@system-service").subtracting(try names("@privileged"))
    try scratch.sh(
      """
      strace -f -qq -o trace pipe serve --port 0 2> log &
      while kill -0 $! && ! grep -qs listening log; do sleep 0.1; done
      url=$(grep -o 'http:.*' log)
      for path in status/1 health metrics docs ''; do curl -s -o answer $url/$path; done
      curl -s -o answer --json '{"ids":[1,2,3]}' $url/ingest
      kill -TERM $(pgrep -P $!); wait
      """
    ).expect("")
    let used = Set(
      try scratch.lines(of: "trace").compactMap { $0.firstMatch(of: #/^\d+ +(\w+)\(/#) }
        .map { String($0.1) })
    #expect(used.contains("fdatasync") && used.contains("epoll_wait"), "\(used)")
    #expect(used.isSubset(of: allowed), "\(used.subtracting(allowed))")
  }

  // The system calls of a group, including those of its subgroups.
  private func names(_ group: String) throws -> Set<String> {
    let run = try scratch.sh("systemd-analyze syscall-filter \(group)").expect()
    var found: Set<String> = []
    for line in run.lines.dropFirst() {
      let name = line.trimmingCharacters(in: .whitespaces)
      if name.hasPrefix("@") { found.formUnion(try names(name)) }
      if !name.hasPrefix("#") { found.insert(name) }
    }
    return found
  }

  private func settings(_ name: String) throws -> [String] {
    try scratch.lines(of: "pipe-serve.service").filter { $0.hasPrefix(name + "=") }
      .map { String($0.dropFirst(name.count + 1)) }
  }
}

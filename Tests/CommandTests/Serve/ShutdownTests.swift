import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Start and end of the gateway")
struct ShutdownTests {
  /// A client with half a request sent: all but the `2` of the body `42`.
  private func halfSent(_ gateway: Gateway) throws -> Connection {
    let connection = try Connection(gateway.port)
    let head = "POST /log HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    connection.send(head + "Expect: 100-continue\r\n\r\n")
    guard try connection.reply().status == 100 else { throw Failure("it was not invited") }
    connection.send("4")
    return connection
  }

  @Test(
    "SIGTERM and SIGINT end the gateway once all requests are answered",
    arguments: [SIGTERM, SIGINT])
  func answers(signal: Int32) throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let idle = try Connection(gateway.port)
    let used = try Connection(gateway.port)
    used.send(Gateway.request("GET", "/health"))
    #expect(try used.reply().status == 200)
    let half = try halfSent(gateway)
    let busy = try (0..<20).map { _ in try Connection(gateway.port) }
    let request = String(repeating: Gateway.request("POST", "/log", body: "1"), count: 10)
    for connection in busy { connection.send(request) }
    // The first response on each connection shows that all its requests were read.
    for connection in busy { #expect(try connection.reply().status == 202) }
    gateway.child.signal(signal)
    #expect(idle.rest().isEmpty && idle.isOver && used.rest().isEmpty)
    half.send("2")
    let last = try half.replies()
    #expect(last.map(\.status) == [202] && last[0].headers["connection"] == "close")
    var answered = busy.count
    for connection in busy { answered += try connection.replies().count { $0.status == 202 } }
    let run = gateway.child.finish().expect("", errors: nil)
    #expect(run.errors.hasSuffix("pipe serve: stopping\n"), run.story)
    let stored = try scratch.pipe("list").expect().lines.count
    #expect(stored == answered + 1)
  }

  @Test("a client that stops in the middle of a request does not keep the gateway from ending")
  func half() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let half = try halfSent(gateway)
    let deaf = try Connection(gateway.port)
    deaf.sendWhatIsTaken(
      Array(String(repeating: Gateway.request("GET", "/metrics"), count: 5000).utf8))
    gateway.child.signal(SIGTERM)
    #expect(half.rest().isEmpty && half.isOver)
    gateway.child.finish().expect("", errors: nil)
    try scratch.pipe("list").expect("")
  }

  @Test("a second signal ends the gateway at once")
  func second() throws {
    let gateway = try Gateway(try Scratch())
    let half = try halfSent(gateway)
    gateway.child.signal(SIGTERM)
    #expect(gateway.child.errorLine() == "pipe serve: stopping")
    gateway.child.signal(SIGINT)
    gateway.child.finish().expect("", errors: nil, ending: .killed(SIGINT))
    #expect(half.rest().isEmpty)
  }

  @Test("the gateway refuses to start if its port is in use or its settings are invalid")
  func ports() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    try scratch.pipe("serve", "--port", "\(gateway.port)").expect(
      errors:
        "pipe serve: 127.0.0.1:\(gateway.port): cannot listen: Address already in use\n",
      status: 69)
    for (name, value) in [
      ("PIPE_PORT", "x"), ("PIPE_PORT", "65536"), ("PIPE_PORT", "-1"), ("PIPE_HOST", "nowhere"),
      ("PIPE_LOG_LEVEL", "loud"), ("PORT", "x"), ("HOST", "nowhere"), ("LOG_LEVEL", "loud"),
    ] {
      let run = try scratch.run(["timeout", "600", Binary.path, "serve"], [name: value])
      run.expect("", errors: nil, status: 78, "\(name)=\(value)")
      #expect(run.errors.hasPrefix("pipe serve: \(name): \(value)"), run.story)
    }
    let bad = ["PIPE_PORT": "1", "PIPE_HOST": "nowhere"]
    let other = try Gateway(scratch, "--host", "127.0.0.1", environment: bad)
    #expect(try other.get("/health").status == 200, "options beat the environment")
  }

  @Test("PIPE_HOST, PIPE_PORT and PIPE_LOG_LEVEL override HOST, PORT and LOG_LEVEL")
  func olderVariables() throws {
    let scratch = try Scratch()
    let older = ["HOST": "nowhere", "PORT": "x", "LOG_LEVEL": "loud"]
    let own = ["PIPE_HOST": "127.0.0.2", "PIPE_PORT": "0", "PIPE_LOG_LEVEL": "info"]
    for environment in [
      older.merging(own) { $1 }, ["HOST": "127.0.0.2", "PORT": "0", "LOG_LEVEL": "INFO"],
    ] {
      let child = try scratch.start(["pipe", "serve"], environment)
      let line = child.errorLine() ?? "nothing"
      #expect(line.hasPrefix("pipe serve: listening on http://127.0.0.2:"), "\(line)")
      child.signal(SIGTERM)
      child.finish().expect("", errors: nil)
    }
  }

  @Test("the queue of a gateway stays private, whatever the umask")
  func permissions() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch, under: ["bash", "-c", "umask 0; exec \"$@\"", "-"])
    #expect(try gateway.post("/log", "1").status == 202)
    #expect(scratch.mode("queue") == 0o700)
    let open = try scratch.sh("find queue -type f -perm /077 -o -type d -perm /077")
    open.expect("")
  }

  @Test("a gateway whose queue is removed stays up, stores nothing more and says so")
  func removed() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let id = try gateway.post("/log", "1").receipt()
    try scratch.sh("rm -r queue").expect()
    let posted = try gateway.post("/log", "2")
    #expect(posted.status == 503 && posted.headers["retry-after"] != nil, "\(posted)")
    let status = try gateway.get("/status/\(id)")
    #expect(status.status == 503 || status.status == 404, "\(status)")
    #expect(try gateway.get("/health").status == 503)
    #expect(try gateway.get("/metrics").status == 503)
    gateway.stop().expect("", errors: nil)
    #expect(scratch.mode("queue") == -1)
  }

  @Test("a gateway ends after a commit that waits for a lock, and serves everything else meanwhile")
  func waitsForCommits() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let half = try halfSent(gateway)
    let lock = open(scratch.path("queue/end"), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(lock) }
    try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
    let posted = try Connection(gateway.port)
    posted.send(Gateway.request("POST", "/log", body: "1"))
    for path in ["/docs", "/health", "/openapi.json"] {
      #expect(try gateway.get(path).status == 200)
    }
    gateway.child.signal(SIGTERM)
    // Cut off after its five seconds, while the commit still waits.
    #expect(half.rest().isEmpty && half.isOver)
    flock(lock, LOCK_UN)
    #expect(try posted.reply().status == 202)
    gateway.child.finish().expect("", errors: nil)
    try scratch.pipe("consume").expect("1\n")
  }
}

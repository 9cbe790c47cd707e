import Foundation
import TestSupport
import Testing

@Suite("Access to the gateway")
struct GuardTests {
  private static let token = "0123456789abcdef!"

  private func serve(_ scratch: Scratch, _ options: String...) throws -> Run {
    try scratch.run(["timeout", "600", Binary.path, "serve", "--port", "0"] + options)
  }

  @Test("without the token the gateway serves /health alone and stores nothing")
  func token() throws {
    let scratch = try Scratch()
    try scratch.write(GuardTests.token + "\r\nmore\n", to: "token")
    try scratch.sh("chmod 600 token").expect()
    let gateway = try Gateway(scratch, "--token-file", "token")
    for path in ["/metrics", "/status/x", "/nothing"] {
      let reply = try gateway.get(path)
      #expect(reply.status == 401 && reply.headers["www-authenticate"] == "Bearer", "\(path)")
      #expect(try !reply.detail().isEmpty)
    }
    let wrong = [
      "", "Bearer", "Bearer ", "Bearer x", "Bearer \(GuardTests.token)x",
      "Basic \(GuardTests.token)",
      "Bearer \(GuardTests.token.dropLast())", GuardTests.token, "Bearer  \(GuardTests.token)",
    ]
    for header in wrong {
      let reply = try gateway.post("/log", "1", "Authorization: \(header)")
      #expect(reply.status == 401, "\(header)")
    }
    #expect(try gateway.get("/health").status == 200)
    for word in ["Bearer", "bearer", "BEARER"] {
      let reply = try gateway.post("/log", "1", "Authorization: \(word) \(GuardTests.token)")
      #expect(reply.status == 202, "\(word)")
    }
    try scratch.pipe("consume").expect("1\n1\n1\n")
  }

  @Test("a token file without a token is refused, and one that all users can read is reported")
  func tokenFiles() throws {
    let scratch = try Scratch()
    try serve(scratch, "--token-file", "none").expect(
      errors: "pipe serve: none: cannot open: No such file or directory\n", status: 66)
    for text in [
      "", "short\n", "\n\(GuardTests.token)\n", "0123456789 abcdef\n", "0123456789\u{e9}abcdef",
    ] {
      try scratch.write(text, to: "token")
      try serve(scratch, "--token-file", "token").expect(
        errors:
          "pipe serve: token: holds no token; write one line of 16 to 4096 printable characters\n",
        status: 78, text)
    }
    try scratch.write(String(repeating: "a", count: 5000), to: "token")
    try serve(scratch, "--token-file", "token").expect(errors: nil, status: 78)
    try scratch.sh("umask 022; echo \(GuardTests.token) > open").expect("")
    let run = try Gateway(scratch, "--token-file", "open").stop()
    #expect(
      run.errors.hasPrefix(
        "pipe serve: open: every user of this machine can read the token (chmod o-r)\n"),
      run.story)
  }

  @Test("the token may come from a pipe")
  func tokenPipe() throws {
    let scratch = try Scratch()
    let command = "exec \"$@\" --token-file <(echo \(GuardTests.token))"
    let gateway = try Gateway(scratch, under: ["bash", "-c", command, "-"])
    #expect(try gateway.post("/log", "1").status == 401)
    #expect(
      try gateway.post("/log", "1", "Authorization: Bearer \(GuardTests.token)").status == 202)
  }

  @Test("an address that other machines can reach needs a token, and an invalid one is refused")
  func addresses() throws {
    let scratch = try Scratch()
    for host in ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1", "::ffff:0.0.0.0", "2001:db8::1"]
    {
      let run = try serve(scratch, "--host", host).expect(errors: nil, status: 64)
      #expect(run.errors.contains("so --token-file is required"), run.story)
    }
    for host in ["example.com", "127.1", "localhost:80", "[::1]", "1.2.3.4.5", "\u{1b}[31m"] {
      let run = try serve(scratch, "--host", host).expect(errors: nil, status: 64)
      #expect(run.errors.contains("is not an address") && !run.errors.contains("\u{1b}"), run.story)
    }
    #expect(scratch.mode("queue") == -1, "a queue was made")
    for host in ["localhost", "127.0.0.1"] { _ = try Gateway(scratch, "--host", host) }
  }

  @Test("a page of another site is refused, whatever name it gives this machine")
  func origins() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let own = "http://localhost"
    for (origin, status) in [
      (own, 202), ("https://localhost", 202), ("null", 403), ("http://evil.example", 403),
      ("http://localhost.evil.example", 403), ("http://localhost:81", 403), ("", 403),
    ] {
      #expect(try gateway.post("/log", "1", "Origin: \(origin)").status == status, "\(origin)")
    }
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhostx"] {
      let connection = try Connection(gateway.port)
      connection.send("GET /metrics HTTP/1.1\r\nHost: \(host)\r\n\r\n")
      #expect(try connection.reply().status == 403, "\(host)")
    }
    for host in [
      "localhost", "LOCALHOST:80", "a.localhost", "127.0.0.1:\(gateway.port)", "[::1]:1",
      "10.0.0.1",
    ] {
      let connection = try Connection(gateway.port)
      connection.send("GET /metrics HTTP/1.1\r\nHost: \(host)\r\n\r\n")
      #expect(try connection.reply().status == 200, "\(host)")
    }
  }

  @Test("the content types of a browser form are refused")
  func forms() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let types = [
      "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
      "text/plain; application/json", "text/json",
    ]
    for (path, type) in types.flatMap({ type in ["/log", "/ingest"].map { ($0, type) } }) {
      let reply = try gateway.ask("POST", path, ["Content-Type: \(type)"], body: #"{"a":1}"#)
      #expect(try reply.status == 415 && !reply.detail().isEmpty, "\(path) \(type)")
    }
    try scratch.pipe("list").expect("")
  }

  @Test("pages of the site named with --cors may send requests, and no others")
  func cors() throws {
    let scratch = try Scratch()
    let preflight = [
      "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type",
    ]
    let closed = try Gateway(scratch)
    let reply = try closed.ask("OPTIONS", "/log", preflight + ["Origin: https://a.example"])
    #expect(reply.status == 403 && reply.headers["access-control-allow-origin"] == nil, "\(reply)")
    let open = try Gateway(scratch, "--cors", "https://a.example")
    let allowed = try open.ask("OPTIONS", "/log", preflight + ["Origin: https://a.example"])
    #expect(allowed.status == 204 && allowed.headers["vary"] == "Origin", "\(allowed)")
    #expect(allowed.headers["access-control-allow-origin"] == "https://a.example")
    #expect(allowed.headers["access-control-allow-methods"]?.contains("POST") == true)
    #expect(allowed.headers["access-control-allow-headers"]?.contains("content-type") == true)
    let posted = try open.post("/log", "1", "Origin: https://a.example")
    #expect(posted.status == 202)
    #expect(posted.headers["access-control-allow-origin"] == "https://a.example")
    let other = try open.post("/log", "1", "Origin: https://b.example")
    #expect(other.status == 403 && other.headers["vary"] == "Origin", "\(other)")
    #expect(other.headers["access-control-allow-origin"] == nil)
  }

  @Test("a client over its rate limit gets 429 with Retry-After, and others are served")
  func limit() throws {
    let gateway = try Gateway(try Scratch(), "--limit", "3/h")
    for _ in 0..<3 { #expect(try gateway.post("/log", "1").status == 202) }
    let reply = try gateway.post("/log", "1")
    let seconds = reply.headers["retry-after"].flatMap { Int($0) } ?? 0
    #expect(
      try reply.status == 429 && !reply.detail().isEmpty && (1000...1200).contains(seconds),
      "\(reply)")
    let other = try Connection(gateway.port, from: 2)
    other.send(Gateway.request("POST", "/log", body: "2"))
    #expect(try other.reply().status == 202)
    #expect(try gateway.get("/health").status == 200)
  }

  @Test("preflight requests of browsers do not count for the rate limit, and other OPTIONS do")
  func preflight() throws {
    let gateway = try Gateway(
      try Scratch(), "--limit", "2/h", "--cors", "https://example.com")
    let origin = "Origin: https://example.com"
    let asked = "Access-Control-Request-Method: POST"
    for _ in 0..<5 {
      let reply = try gateway.ask("OPTIONS", "/log", [origin, asked])
      #expect(reply.status == 204, "\(reply)")
      #expect(reply.headers["access-control-allow-origin"] == "https://example.com", "\(reply)")
    }
    #expect(try gateway.post("/log", "1", origin).status == 202)
    #expect(try gateway.ask("OPTIONS", "/log", [origin]).status == 204)
    #expect(try gateway.post("/log", "1", origin).status == 429)
    #expect(try gateway.ask("OPTIONS", "/log", [asked]).status == 429)
    #expect(try gateway.ask("OPTIONS", "/log", [origin, asked]).status == 204)
  }

  @Test("a client over its rate limit is served again when there is room")
  func refill() throws {
    let gateway = try Gateway(try Scratch(), "--limit", "2/s")
    var statuses: Set<Int> = []
    try wait(until: {
      statuses.insert(try gateway.post("/log", "1").status)
      return statuses.count == 2
    })
    #expect(statuses == [202, 429])
    try wait(until: { try gateway.post("/log", "1").status == 202 })
  }

  @Test("all responses forbid the browser to sniff, store or frame them")
  func headers() throws {
    let gateway = try Gateway(try Scratch())
    let replies = try [
      gateway.get("/"), gateway.get("/docs"), gateway.get("/openapi.json"), gateway.get("/health"),
      gateway.get("/metrics"), gateway.get("/nothing"), gateway.get("/status/x"),
      gateway.post("/log", "1"), gateway.post("/log", "{"), gateway.post("/health", "1"),
      gateway.post("/log", "1", "Origin: http://evil"), gateway.get("/health", "Expect: x"),
      gateway.get("/health", "Host: twice"), gateway.ask("OPTIONS", "/log"),
      gateway.ask("HEAD", "/"),
    ]
    for reply in replies {
      #expect(reply.headers["x-content-type-options"] == "nosniff", "\(reply)")
      #expect(reply.headers["cache-control"] == "no-store", "\(reply)")
      let policy = reply.headers["content-security-policy"] ?? ""
      #expect(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "\(reply)")
      #expect(reply.headers["server"] == nil && reply.headers["date"] != nil, "\(reply)")
    }
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("serve")
struct ServeTests {
  @Test("an entry that got 202 is in the queue and has a status")
  func storesAndTells() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let reply = try gateway.post("/ingest", #"{"source":"a","data":{"x":1.50}}"#)
    #expect(reply.status == 202, "\(reply)")
    let status = try gateway.get("/status/\(try reply.receipt())")
    #expect(status.status == 200 && status.body.contains(#""status":"yet_to_start""#), "\(status)")
    try scratch.pipe("consume").expect(#"{"source":"a","data":{"x":1.50}}"# + "\n")
    gateway.stop().expect("", errors: nil)
  }

  @Test("pipelined requests are answered in order")
  func keepsOrder() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let connection = try Connection(gateway.port)
    let posts = (1...300).map { Gateway.request("POST", "/log", body: "\($0)") }
    connection.send(posts.joined() + Gateway.request("GET", "/nothing"))
    let ids = try posts.map { _ in try connection.reply().receipt() }
    #expect(try connection.reply().status == 404)
    let listed = try scratch.pipe("list").expect().objects()
    #expect(listed.map { $0["id"] as? String } == ids)
    #expect(listed.map { $0["data"] as? Int } == Array(1...300))
  }

  @Test("a path with a trailing slash is the same path, and /redoc leads to /docs")
  func slashes() throws {
    let gateway = try Gateway(try Scratch())
    #expect(try gateway.post("/ingest/", "{}").status == 202)
    let id = try gateway.post("/log/?x=1", "1").receipt()
    #expect(try gateway.get("/status/\(id)/").status == 200)
    #expect(try gateway.post("/retry/\(id)/", "").status == 403)
    #expect(try gateway.ask("OPTIONS", "/ingest/").headers["allow"] == "POST, OPTIONS")
    for path in ["/redoc", "/redoc/"] {
      let reply = try gateway.get(path)
      #expect(reply.status == 307 && reply.headers["location"] == "/docs", "\(reply)")
    }
  }

  @Test("/redoc needs no token, and a trailing slash gives no access")
  func openPaths() throws {
    let scratch = try Scratch()
    try scratch.sh("echo a-token-of-some-length > token").expect()
    let gateway = try Gateway(scratch, "--token-file", "token")
    #expect(try gateway.get("/redoc").status == 307)
    #expect(try gateway.get("/health/").status == 200)
    #expect(try gateway.get("/metrics/").status == 401)
    #expect(try gateway.post("/ingest/", "{}").status == 401)
  }

  @Test("--dedup sets how long an id request and a key are remembered")
  func dedup() throws {
    let scratch = try Scratch()
    let body = #"{"ids":[1,2]}"#
    let none = try Gateway(scratch, "--dedup", "0s")
    let first = try none.post("/ingest", body).receipt()
    #expect(try none.post("/ingest", body).receipt() != first)
    let key = "Idempotency-Key: k"
    #expect(try none.post("/log", "1", key).receipt() != none.post("/log", "1", key).receipt())
    none.stop().expect("", errors: nil)
    let day = try Gateway(scratch, "--dedup", "1d")
    let second = try day.post("/ingest", body).receipt()
    #expect(try day.post("/ingest", body).receipt() == second)
    day.stop().expect("", errors: nil)
  }

  @Test("/health is 503 if the queue is on a read-only file system", .needsMounts)
  func readOnly() throws {
    let scratch = try Scratch()
    try scratch.prepare("init")
    let script = "mount --bind queue queue && mount -o remount,bind,ro queue && exec \"$@\""
    let gateway = try Gateway(scratch, under: ["unshare", "-mr", "sh", "-c", script, "-"])
    let reply = try gateway.get("/health")
    #expect(reply.status == 503, "\(reply)")
    #expect(reply.body.contains("queue/end: cannot write: Read-only file system"), "\(reply)")
    #expect(try gateway.post("/log", "1").status == 503)
  }

  @Test(
    "/health is 503 while the gateway may not write to a part of the queue",
    .needsPermissions, arguments: ["end", "segments/LOW"])
  func closed(part: String) throws {
    let scratch = try Scratch()
    try scratch.prepare("init")
    let gateway = try Gateway(scratch, under: Unprivileged.prefix)
    chmod(scratch.path("queue/" + part), 0o500)
    let reply = try gateway.get("/health")
    #expect(reply.status == 503 && reply.body.contains("\(part): cannot write: "), "\(reply)")
    chmod(scratch.path("queue/" + part), 0o700)
    #expect(try gateway.get("/health").status == 200)
  }

  @Test("/health says how many items are lost to damage")
  func lostItems() throws {
    let scratch = try Scratch()
    try scratch.store("1", "2")
    try scratch.sh(": > queue/segments/MEDIUM/000/000001").expect()
    try scratch.pipe("consume").expect("", errors: nil, status: 74)
    let gateway = try Gateway(scratch)
    let health = try gateway.get("/health")
    #expect(health.status == 200)
    #expect(try health.object()["lost"] as? Int == 2)
    try scratch.pipe("drop", "--lost").expect()
    #expect(try gateway.get("/health").object()["lost"] == nil)
  }
}

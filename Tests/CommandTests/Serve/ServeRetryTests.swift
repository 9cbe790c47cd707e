import Foundation
import TestSupport
import Testing

@Suite("Retries through the gateway")
struct ServeRetryTests {
  @Test("a retried item is ready again, and the response is the line that pipe retry prints")
  func retries() throws {
    let scratch = try Scratch()
    let ids = try scratch.bury("1", "2")
    let gateway = try Gateway(scratch, "--token-file", try scratch.token())
    let reply = try gateway.ask("POST", "/retry/\(ids[0])", [Scratch.authorization])
    #expect(reply.status == 200, "\(reply)")
    #expect(reply.headers["content-type"] == "application/json")
    let printed = try scratch.pipe("retry", ids[1]).expect().output
    #expect(reply.body + "\n" == printed.replacingOccurrences(of: ids[1], with: ids[0]))
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("a retry without a dead letter gets 404, which distinguishes unknown ids from known ones")
  func findsNothing() throws {
    let scratch = try Scratch()
    let id = try scratch.store("1")[0]
    let gateway = try Gateway(scratch, "--token-file", try scratch.token())
    let retry = { (id: String) in try gateway.ask("POST", "/retry/\(id)", [Scratch.authorization]) }
    #expect(try retry(id).detail() == "\(id) has no dead letter")
    for unknown in ["01JD3V7Q8N6T2K5M9XWZ4RBC1H", "nothing", ""] {
      let reply = try retry(unknown)
      #expect(try reply.status == 404 && reply.detail() == "Ingestion ID not found", "\(reply)")
    }
  }

  @Test("nothing is retried without the token, nor by a gateway that has none")
  func needsToken() throws {
    let scratch = try Scratch()
    let id = try scratch.bury("1")[0]
    let open = try Gateway(scratch)
    let refused = try open.post("/retry/\(id)", "")
    #expect(refused.status == 403)
    #expect(try refused.detail().contains("--token-file"))
    let gateway = try Gateway(scratch, "--token-file", try scratch.token())
    #expect(try gateway.post("/retry/\(id)", "").status == 401)
    #expect(try gateway.post("/retry/\(id)", "", Scratch.authorization + "x").status == 401)
    try scratch.pipe("consume").expect("")
  }

  @Test("only a POST retries, and not with the content type of a form")
  func refusesOthers() throws {
    let scratch = try Scratch()
    let id = try scratch.bury("1")[0]
    let gateway = try Gateway(scratch, "--token-file", try scratch.token())
    let get = try gateway.get("/retry/\(id)", Scratch.authorization)
    #expect(get.status == 405 && get.headers["allow"] == "POST, OPTIONS", "\(get)")
    let form = ["Content-Type: text/plain", Scratch.authorization]
    #expect(try gateway.ask("POST", "/retry/\(id)", form, body: "x").status == 415)
    try scratch.pipe("consume").expect("")
  }
}

extension Scratch {
  /// Stores lines, each of which becomes a dead letter; returns their ids.
  func bury(_ lines: String...) throws -> [String] {
    let stored = try lines.flatMap { try store($0) }
    try sh("pipe batch -n 1 --size \(lines.count) --hold 1m | pipe ack --bury").expect()
    return stored
  }
}

import Foundation
import TestSupport
import Testing

@Suite("Posted entry lines")
struct EnqueueRequestTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func post(_ gateway: Gateway, _ body: String, _ headers: String...) throws -> Reply {
    try gateway.ask(
      "POST", "/enqueue", ["Content-Type: application/x-ndjson"] + headers, body: body)
  }

  @Test("entry lines of ingest are stored with their ids, once, by their own rules")
  func lines() throws {
    let input = #"{"a":1.50,"priority":"HIGH"}"# + "\n" + #"{"ids":[1, 2]}"# + "\n3\n"
    let lines = try scratch.pipe("ingest", input: input).expect().output
    // --require is about records of /ingest.
    let gateway = try Gateway(scratch, "--require", "b:string")
    let first = try post(gateway, lines)
    #expect(first.status == 202)
    let ids = first.body.split(separator: "\n").map { String($0).object["ingestion_id"] as? String }
    #expect(ids == lines.split(separator: "\n").map { String($0).object["id"] as? String })
    let second = try post(gateway, lines)
    #expect(second.body.split(separator: "\n").allSatisfy { $0.hasSuffix(#","duplicate":true}"#) })
    try scratch.pipe("consume").expect("{\"a\":1.50,\"priority\":\"HIGH\"}\n1\n2\n3\n")
    #expect(try gateway.counters() == ["ingested": 3, "failed": 0, "errors": 0])
  }

  @Test("two id requests with the same ids are two entries, and two entries with a key are one")
  func repeated() throws {
    let gateway = try Gateway(scratch)
    let names = (0..<4).map { "01JD3V7Q8N6T2K5M9XWZ4RBC1\($0)" }
    let reply = try post(
      gateway,
      """
      {"id":"\(names[0])","ids":[1]}
      {"id":"\(names[1])","ids":[1]}
      {"id":"\(names[2])","data":1,"key":"k"}
      {"id":"\(names[3])","data":1,"key":"k"}
      """)
    let ids = reply.body.split(separator: "\n").map { String($0).object["ingestion_id"] as? String }
    #expect(ids == [names[0], names[1], names[2], names[2]])
    try scratch.pipe("consume").expect("1\n1\n1\n")
  }

  @Test("lines that are not entry lines are rejected, each with the reason")
  func rejected() throws {
    let gateway = try Gateway(scratch)
    let good = #"{"id":"01JD3V7Q8N6T2K5M9XWZ4RBC1H","data":1,"not_before":"2999-01-01T00:00:00Z"}"#
    let reply = try post(gateway, "bad\n{\"a\":1}\n\(good)\n{\"id\":\"x\",\"data\":1}")
    #expect(reply.status == 202)
    let errors = reply.body.split(separator: "\n").map {
      String($0).object["error"] as? String ?? ""
    }
    #expect(errors[0] == "expected a value" && errors[2] == "")
    #expect(errors[1].hasPrefix("not an entry line") && errors[3].hasPrefix("id is not a ULID"))
    #expect(try post(gateway, "bad").status == 400)
    #expect(try scratch.pipe("list", "--state", "later").lines.count == 1)
    #expect(try post(gateway, good, "Idempotency-Key: k").status == 400)
    let json = try gateway.post("/enqueue", good)
    #expect(try json.status == 415 && json.detail() == "send Content-Type: application/x-ndjson")
  }
}

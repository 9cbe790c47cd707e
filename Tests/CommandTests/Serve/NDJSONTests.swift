import Foundation
import TestSupport
import Testing

@Suite("Posted lines")
struct NDJSONTests {
  private let scratch: Scratch
  private let gateway: Gateway

  init() throws {
    scratch = try Scratch()
    gateway = try Gateway(scratch)
  }

  private func post(_ body: String) throws -> Reply {
    try gateway.ask("POST", "/ingest", ["Content-Type: application/x-ndjson"], body: body)
  }

  /// For each line of a response: `stored`, `again`, or number, byte and reason.
  private func fates(_ reply: Reply) throws -> [String] {
    #expect(reply.headers["content-type"] == "application/x-ndjson")
    #expect(reply.body.hasSuffix("\n"))
    return reply.body.split(separator: "\n").map { line in
      let object = String(line).object
      if object["ingestion_id"] != nil { return object["duplicate"] == nil ? "stored" : "again" }
      guard object["file"] as? String == "body", let number = object["line"],
        let byte = object["byte"],
        let reason = object["error"], let input = object["input"]
      else { return "no line: \(line)" }
      return "\(number):\(byte): \(reason): \(input)"
    }
  }

  @Test("each posted line has its own result, and the status is 202 if one is stored")
  func some() throws {
    let reply = try post(
      """
      {"ids":[1,2],"priority":"HIGH"}
      {"a":1}
      bad
      "any value"
      {"ids":[]}
      {"ids":[3],"priority":"low"}
      {"ids":[2,1],"priority":"HIGH"}
      {"priority":"LOW"}
      {"ids":[1, 2],"priority":"HIGH"}
      {"a":1}
      """)
    #expect(reply.status == 202, "\(reply)")
    #expect(
      try fates(reply) == [
        "stored", "stored", "3:1: expected a value: bad", "stored",
        #"5:9: ids list cannot be empty: {"ids":[]}"#,
        #"6:23: priority must be HIGH, MEDIUM or LOW: {"ids":[3],"priority":"low"}"#, "stored",
        #"8:1: id request has no ids: {"priority":"LOW"}"#, "again", "stored",
      ])
    #expect(try gateway.counters() == ["ingested": 5, "failed": 4, "errors": 0])
    try scratch.pipe("consume").expect("1\n2\n2\n1\n{\"a\":1}\n\"any value\"\n{\"a\":1}\n")
  }

  @Test("posted lines may have a byte-order mark, CRLF, blank lines and an unended last line")
  func forms() throws {
    let reply = try post("\u{feff}{\"a\":1}\r\n\r\n \t\n{\"b\":\t2} \r\nbad\r\n\n[3]")
    #expect(reply.status == 202, "\(reply)")
    #expect(
      try fates(reply) == ["stored", "stored", "5:1: expected a value: bad", "stored"])
    let marked = try post("\u{feff}bad\n{}")
    #expect(try fates(marked).first == "1:4: expected a value:    bad")
    try scratch.pipe("consume").expect("{\"a\":1}\n{\"b\":\t2}\n[3]\n{}\n")
  }

  @Test("the status is 400 if all lines are rejected or none is sent")
  func none() throws {
    let reply = try post("bad\n\n{\"ids\":[0]}\n")
    #expect(reply.status == 400, "\(reply)")
    #expect(try fates(reply).map { $0.prefix(2) } == ["1:", "3:"])
    for body in ["", "\n", " \r\n\t\n", "\u{feff}"] {
      let reply = try post(body)
      #expect(reply.status == 400, "\(reply)")
      #expect(try reply.detail() == "the body has no lines")
    }
    #expect(try gateway.counters() == ["ingested": 0, "failed": 2, "errors": 0])
  }

  @Test("the result of a rejected line shows 4 KiB of it, and all bytes of invalid UTF-8")
  func excerpts() throws {
    let long = "\"" + String(repeating: "é", count: 3000)
    let reply = try post(long)
    let object = reply.body.object
    // A cut after 4096 bytes would split a character.
    #expect((object["input"] as? String)?.utf8.count == 4095, "\(reply)")
    #expect(object["input_base64"] == nil)
    let connection = try Connection(gateway.port)
    let head = Gateway.request(
      "POST", "/ingest",
      [
        "Content-Type: application/x-ndjson", "Content-Length: 4",
      ])
    connection.send(Array(head.utf8) + [0x22, 0xff, 0xfe, 0x22])
    let odd = try connection.reply().body.object
    #expect(odd["input_base64"] as? String == "Iv/+Ig==", "\(odd)")
    #expect(odd["input"] as? String == "\"\u{fffd}\u{fffd}\"")
    #expect(odd["byte"] as? Int == 2)
  }

  @Test("posted lines must satisfy --require like a single record")
  func requirements() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch, "--require", "source:string", "--require", "data.n:integer")
    let good = #"{"source":"a","data":{"n":1}}"#
    #expect(try gateway.post("/ingest", good).status == 202)
    #expect(try gateway.post("/ingest", #"{"ids":[1]}"#).status == 200)
    #expect(try gateway.post("/log", "1").status == 202)
    for (body, reason) in [
      (#"{"data":{"n":1}}"#, "source is missing"),
      (#"{"source":1,"data":{"n":1}}"#, "byte 11: source is not of type string"),
      (#"{"source":"a","data":{"n":1.5}}"#, "byte 27: data.n is not of type integer"),
      (#"{"source":"a","data":[1]}"#, "data.n is missing"),
    ] {
      let reply = try gateway.post("/ingest", body)
      #expect(reply.status == 422, "\(reply)")
      #expect(try reply.detail() == reason)
    }
    let reply = try gateway.ask(
      "POST", "/ingest", ["Content-Type: application/x-ndjson"], body: good + "\n{}\n5\n")
    #expect(
      try fates(reply) == [
        "stored", "2:1: source is missing: {}", "3:1: not an object, so it has no source: 5",
      ])
    #expect(try gateway.counters() == ["ingested": 4, "failed": 6, "errors": 0])
  }
}

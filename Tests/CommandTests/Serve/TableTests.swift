import Foundation
import TestSupport
import Testing

@Suite("The HTTP contract")
struct TableTests {
  private let scratch: Scratch
  private let gateway: Gateway

  init() throws {
    scratch = try Scratch()
    gateway = try Gateway(scratch)
  }

  @Test("each request gets the response of the contract over a socket, and is counted once")
  func overSocket() throws {
    let rows = TableTests.rows(try scratch.store("1")[0])
    for row in rows { row.check(try gateway.ask(row)) }
    try checkCounts(rows)
  }

  @Test(
    "each request gets the response of the contract through curl, and is counted once",
    .needs("curl"))
  func throughCurl() throws {
    let rows = TableTests.rows(try scratch.store("1")[0])
    for row in rows { row.check(try gateway.curl(row, in: scratch)) }
    try checkCounts(rows)
  }

  private func checkCounts(_ rows: [TableRow]) throws {
    let posts = rows.filter { $0.method == "POST" && ["/ingest", "/log"].contains($0.path) }
    let stored = posts.count { $0.status < 300 }
    let rejected = posts.count { $0.status == 400 || $0.status == 422 }
    #expect(
      try gateway.counters() == ["ingested": stored + 1, "failed": rejected, "errors": 0])
    #expect(stored > 20 && rejected > 20)
  }

  /// Each row has ids of its own: equal ones would get an earlier id.
  private static func rows(_ known: String) -> [TableRow] {
    accepted + rejected + typed + asked(known)
  }

  private static let accepted: [TableRow] = [
    .ingest(#"{"ids":[1,2,3,4,5],"priority":"MEDIUM"}"#, 200, .receipt),
    .ingest(#"{"ids":[6,7,8,9],"priority":"HIGH"}"#, 200, .receipt),
    .ingest(#" { "ids" : [ 10 ] } "#, 200, .receipt),
    .ingest(#"{"priority":"LOW","x":1,"ids":[11]}"#, 202, .receipt),
    .ingest(#"{"user":"ann","ids":"all"}"#, 202, .receipt),
    .ingest(#"{"ids":[],"priority":"none","\u0069d":1}"#, 202, .receipt),
    .ingest(#"{"ids":[10000000000000000007]}"#, 200, .receipt),
    .ingest("{\r\n  \"ids\": [\r\n    12,\r\n    13\r\n  ]\r\n}\r\n", 200, .receipt),
    .ingest(
      #"{"source":"curl-test","timestamp":"2024-07-29T12:00:00Z","data":{"sensor_id":"A-123"}}"#,
      202, .receipt),
    .ingest(#"{"data":{},"ids":[]}"#, 202, .receipt),
    .ingest(#"{"priority":"high","data":1}"#, 202, .receipt),
    .ingest(#"{"priority":5,"x":1}"#, 202, .receipt),
    .ingest("{}", 202, .receipt),
    .ingest("{\n\t\"a\": 1,\n\t\"b\": [1, 2]\n}\n", 202, .receipt),
    .ingest("\u{feff}{\"a\":1}", 202, .receipt),
    .log(#"{"ids":[]}"#), .log(#"{"priority":"HIGH"}"#), .log("{}"), .log("[1,\n2]"),
    .log(#""text""#), .log("1.50e-3"), .log("true"), .log("null"), .log(" 0 "),
  ]

  private static let rejected: [TableRow] = [
    .ingest(#"{"ids":[]}"#, 400, .detail("IDs list cannot be empty")),
    .ingest(#"{"ids":[],"priority":"HIGH"}"#, 400, .detail("IDs list cannot be empty")),
    .ingest(#"{"ids":[10000000000000000008]}"#, 400, .detail(outOfRange)),
    .ingest(#"{"ids":[0]}"#, 400, .detail(outOfRange)),
    .ingest(#"{"ids":[1,-5 ]}"#, 400, .detail(outOfRange)),
    .ingest(#"{"ids":[99999999999999999999999999999999]}"#, 400, .detail(outOfRange)),
    .ingest(#"{"ids":[21],"priority":"high"}"#, 400, .detail(priorities)),
    .ingest(#"{"ids":[21],"priority":"URGENT"}"#, 400, .detail(priorities)),
    .ingest(#"{"ids":[21],"priority":""}"#, 400, .detail(priorities)),
    .ingest(#"{"ids":[21],"priority":null}"#, 400, .detail(priorities)),
    .ingest(#"{"priority":"HIGH"}"#, 422, .detail("id request has no ids")),
    .ingest(#"{"ids":"1"}"#, 422, .detail("byte 8: ids is not a list")),
    .ingest(#"{"ids":[1,"2"]}"#, 422, .detail("byte 11: id must be digits only")),
    .ingest(#"{"ids":[1.0]}"#, 422, .detail("byte 9: id must be digits only")),
    .ingest(#"{"ids":[-1.5]}"#, 422, .detail("byte 9: id must be digits only")),
    .ingest(#"{"ids":[-]}"#, 422, .detail("byte 10: expected a digit")),
    .ingest(#"{"ids":[1],"ids":[2]}"#, 422, .detail(#"byte 12: duplicate member "ids""#)),
    .ingest("", 422, .detail("byte 1: unexpected end")),
    .ingest(" \n ", 422, .detail("byte 4: unexpected end")),
    .ingest("{bad", 422, .detail("byte 2: expected a member name in quotes")),
    .ingest("{}{}", 422, .detail("byte 3: expected nothing after the value")),
    .ingest("\u{feff}{bad", 422, .detail("byte 5: expected a member name in quotes")),
    .ingest("{\"a\":\"x\ny\"}", 422, .detail("byte 8: control byte 0x0A in a string")),
    .ingest("[1]", 422, .detail("not an object; POST /log takes any value")),
    .ingest("null", 422, .detail("not an object; POST /log takes any value")),
    TableRow(
      request: "POST /log", body: "[1,]", status: 422,
      shape: .detail("byte 4: expected a value")),
  ]

  private static let typed: [TableRow] = [
    .typed(nil, 202, .receipt),
    .typed("application/json; charset=utf-8", 202, .receipt),
    .typed("Application/JSON;charset=\"UTF-8\"", 202, .receipt),
    .typed("application/cloudevents+json", 202, .receipt),
    .typed("text/plain", 415, .detail("send Content-Type: \(types)")),
    .typed("app lication/json", 415, .detail("send Content-Type: \(types)")),
    .typed("application/x-www-form-urlencoded", 415, .detail("send Content-Type: \(types)")),
    .typed(
      "application/x-ndjson", 415, .detail("send Content-Type: application/json"), path: "/log"),
    .typed("text/csv", 415, .detail("send Content-Type: application/json"), path: "/log"),
    TableRow(
      request: "POST /log", headers: ["Content-Encoding: gzip"], body: "1", status: 415,
      shape: .detail("send the body without Content-Encoding")),
    TableRow(
      request: "POST /ingest", body: "{\"a\":\"" + String(repeating: "x", count: 1 << 20) + "\"}",
      status: 413, shape: .detail("the body is longer than 1048576 bytes")),
  ]

  private static func asked(_ known: String) -> [TableRow] {
    let json = "application/json"
    let metrics = "text/plain; version=0.0.4; charset=utf-8"
    return [
      .get("/status/\(known)", 200, .text(json, #""status":"yet_to_start""#)),
      .get("/status/\(known)?x=1", 200, .text(json, #"{"ingestion_id":"\#(known)""#)),
      .get("/status/01JD3V7Q8N6T2K5M9XWZ4RBC1H", 404, .detail("Ingestion ID not found")),
      .get("/status/", 404, .detail("Ingestion ID not found")),
      .get("/status/%00", 404, .detail("Ingestion ID not found")),
      .get("/status/\(known)/", 200, .text(json, #""status":"yet_to_start""#)),
      .get("/status", 404, .detail("Ingestion ID not found")),
      .get("/health/", 200, .text(json, #"{"status":"healthy""#)),
      .get("/docs/?x=1", 200, .text("text/html; charset=utf-8", "<title>")),
      .get("/health//", 404, .detail("no such path: /health//")),
      .get("/redoc", 307, .nothing),
      .get("/health", 200, .text(json, #"{"status":"healthy""#)),
      .get("/metrics", 200, .text(metrics, "# TYPE ingested_rows_total counter\n")),
      .get("/", 200, .text("text/html; charset=utf-8", "<title>")),
      .get("/docs", 200, .text("text/html; charset=utf-8", "<title>")),
      .get("/openapi.json", 200, .text(json, #""3.1."#)),
      .get("/nothing", 404, .detail("no such path: /nothing")),
      .get("/ingest", 405, .detail("/ingest allows POST, OPTIONS")),
      .get("/log", 405, .detail("/log allows POST, OPTIONS")),
      TableRow(
        request: "DELETE /status/\(known)", type: nil, status: 405,
        shape: .detail("/status/\(known) allows GET, HEAD, OPTIONS")),
      TableRow(
        request: "POST /health", body: "{}", status: 405,
        shape: .detail("/health allows GET, HEAD, OPTIONS")),
    ]
      + ["/status/\(known)", "/health", "/metrics", "/", "/docs", "/openapi.json"].map {
        TableRow(request: "HEAD \($0)", type: nil, status: 200, shape: .nothing)
      }
      + [TableRow(request: "HEAD /status/x", type: nil, status: 404, shape: .nothing)]
      + [TableRow(request: "OPTIONS /ingest", type: nil, status: 204, shape: .nothing)]
  }

  private static let types = "application/json or application/x-ndjson"
  private static let outOfRange = "id out of range 1 to 10000000000000000007"
  private static let priorities = "Priority must be HIGH, MEDIUM, or LOW"

  @Test(
    "the Allow header names the methods that a path takes",
    arguments: [
      ("GET /ingest", "POST, OPTIONS"), ("PUT /log", "POST, OPTIONS"),
      ("POST /metrics", "GET, HEAD, OPTIONS"), ("OPTIONS /health", "GET, HEAD, OPTIONS"),
    ])
  func allow(request: String, methods: String) throws {
    let words = request.split(separator: " ").map(String.init)
    let reply = try gateway.ask(words[0], words[1])
    #expect(reply.headers["allow"] == methods, "\(reply)")
  }

  @Test("bytes and digits are stored unchanged, except line breaks within a record")
  func bytes() throws {
    for body in ["{\"a\":\n1.50,\r\n\"é\" : 1E400}", "{\"b\":\"\\u00e9\",\"b\":2}"] {
      #expect(try gateway.post("/ingest", body).status == 202)
    }
    #expect(try gateway.post("/log", " [1,\n\n 2]\n").status == 202)
    let id = try gateway.post("/ingest", #"{"ids":[10000000000000000007, 1]}"#).receipt()
    #expect(try gateway.get("/status/\(id)").body.contains(#""ids":[10000000000000000007,1]"#))
    try scratch.pipe("consume").expect(
      "{\"a\": 1.50,  \"é\" : 1E400}\n{\"b\":\"\\u00e9\",\"b\":2}\n[1,   2]\n"
        + "10000000000000000007\n1\n")
  }

  @Test("a record's own priority sets its lane at /ingest alone")
  func lanes() throws {
    for (path, body) in [
      ("/log", #"{"priority":"HIGH","n":1}"#), ("/ingest", #"{"priority":"low","n":2}"#),
      ("/ingest", #"{"priority":"LOW","n":3}"#), ("/ingest", #"{"priority":"HIGH","n":4}"#),
    ] { #expect(try gateway.post(path, body).status == 202) }
    try scratch.sh("pipe consume | jq -c .n").expect("4\n1\n2\n3\n")
  }
}

extension Gateway {
  /// Counters of the gateway for posted rows.
  func counters() throws -> [String: Int] {
    let text = try get("/metrics").body
    func value(_ name: String) -> Int {
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
      return line.flatMap { Int($0.dropFirst(name.count + 1)) } ?? -1
    }
    return [
      "ingested": value("ingested_rows_total"), "failed": value("failed_validations_total"),
      "errors": value("ingestion_errors_total"),
    ]
  }
}

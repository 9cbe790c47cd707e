import Foundation
import TestSupport
import Testing

/// A request, and the response that the contract requires.
struct TableRow {
  let request: String
  var type: String? = "application/json"
  var headers: [String] = []
  var body: String?
  let status: Int
  let shape: Shape

  enum Shape {
    case receipt
    /// `{"detail":"…","status_code":N}`
    case detail(String)
    /// Of this type, and containing this text.
    case text(String, String)
    case nothing
  }

  /// `POST /ingest BODY` with this response.
  static func ingest(_ body: String, _ status: Int, _ shape: Shape) -> TableRow {
    TableRow(request: "POST /ingest", body: body, status: status, shape: shape)
  }

  static func log(_ body: String) -> TableRow {
    TableRow(request: "POST /log", body: body, status: 202, shape: .receipt)
  }

  static func typed(_ type: String?, _ status: Int, _ shape: Shape, path: String = "/ingest")
    -> TableRow
  {
    TableRow(
      request: "POST \(path)", type: type, body: #"{"a":1}"#, status: status, shape: shape)
  }

  static func get(_ path: String, _ status: Int, _ shape: Shape) -> TableRow {
    TableRow(request: "GET \(path)", type: nil, status: status, shape: shape)
  }

  var method: String { String(request.prefix { $0 != " " }) }
  var path: String { String(request.drop { $0 != " " }.dropFirst()) }
  var allHeaders: [String] { (type.map { ["Content-Type: \($0)"] } ?? []) + headers }

  func check(_ reply: Reply, at location: SourceLocation = #_sourceLocation) {
    let comment = Comment(rawValue: "\(request) \(body?.prefix(200) ?? "")\nanswered \(reply)")
    #expect(reply.status == status, comment, sourceLocation: location)
    let type = reply.headers["content-type"]
    switch shape {
    case .receipt:
      let form = /\{"ingestion_id":"[0-7][0-9A-HJKMNP-TV-Z]{25}"\}/
      #expect(reply.body.wholeMatch(of: form) != nil, comment, sourceLocation: location)
      #expect(type == "application/json", comment, sourceLocation: location)
    case .detail(let text):
      #expect((try? reply.detail()) == text, comment, sourceLocation: location)
      #expect(type == "application/json", comment, sourceLocation: location)
    case .text(let wanted, let part):
      #expect(reply.body.contains(part), comment, sourceLocation: location)
      #expect(type == wanted, comment, sourceLocation: location)
    case .nothing:
      #expect(reply.body.isEmpty, comment, sourceLocation: location)
    }
  }
}

extension Gateway {
  func ask(_ row: TableRow) throws -> Reply {
    try ask(row.method, row.path, row.allHeaders, body: row.body)
  }

  /// Sends the same request through curl.
  func curl(_ row: TableRow, in scratch: Scratch) throws -> Reply {
    var program = ["curl", "-sS", "-D", "head", "-o", "answer", address + row.path]
    program += row.method == "HEAD" ? ["-I"] : ["-X", row.method]
    for header in row.allHeaders { program += ["-H", header] }
    // Without this header curl takes the body for a form.
    if row.type == nil { program += ["-H", "Content-Type:"] }
    if row.body != nil { program += ["--data-binary", "@-"] }
    try scratch.write("", to: "answer")
    try scratch.run(program, input: Array((row.body ?? "").utf8)).expect(nil)
    let head = String(decoding: try scratch.read("head"), as: UTF8.self)
    let body = String(decoding: try scratch.read("answer"), as: UTF8.self)
    return try Reply(head: head, body: row.method == "HEAD" ? "" : body)
  }
}

extension Reply {
  /// A response as curl saves it; the last head counts.
  init(head: String, body: String) throws {
    let heads = head.components(separatedBy: "\r\n\r\n").filter { !$0.isEmpty }
    let lines = heads.last?.components(separatedBy: "\r\n") ?? []
    guard let first = lines.first,
      let status = Int(first.split(separator: " ").dropFirst().first ?? "")
    else { throw Failure("no answer: \(head)") }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    self.init(status: status, headers: headers, body: body)
  }
}

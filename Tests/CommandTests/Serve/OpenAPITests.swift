import Foundation
import TestSupport
import Testing

@Suite("The OpenAPI file")
struct OpenAPITests {
  private let scratch: Scratch
  private let gateway: Gateway
  private let document: [String: Any]

  init() throws {
    scratch = try Scratch()
    gateway = try Gateway(scratch)
    document = try gateway.get("/openapi.json").object()
  }

  @Test(
    "a public validator accepts the file as OpenAPI 3.1",
    .needsModule("openapi_spec_validator", of: "openapi-spec-validator"))
  func valid() throws {
    #expect(document["openapi"] as? String == "3.1.0")
    try scratch.write(try gateway.get("/openapi.json").body, to: "openapi.json")
    let python = ["PYTHONPATH": ProcessInfo.processInfo.environment["PYTHONPATH"] ?? ""]
    let program = ["python3", "-m", "openapi_spec_validator", "--schema", "3.1"]
    try scratch.run(program + ["openapi.json"], python).expect("openapi.json: OK\n")
    try scratch.sh("sed 's/\"responses\"/\"answers\"/' openapi.json > wrong.json").expect("")
    try scratch.run(program + ["wrong.json"], python).expect(nil, errors: nil, status: 1)
  }

  private var paths: [String: [String: Any]] {
    document["paths"] as? [String: [String: Any]] ?? [:]
  }

  @Test("the file has the paths that the gateway knows, and no others")
  func everyPath() throws {
    let source = try String(
      contentsOfFile: Repository.path + "/Sources/PipeServe/Request/Endpoint.swift", encoding: .utf8
    )
    let known = source.matches(of: /"(\/[a-z.\/]*)"/).map { String($0.1) }
    let documented = paths.keys.map { String($0.prefix { $0 != "{" }) }
    #expect(Set(known) == Set(documented))
  }

  @Test("the file has each method that a path takes, except the implied HEAD and OPTIONS")
  func everyMethod() throws {
    for (path, operations) in paths {
      let target = path.replacingOccurrences(of: "{id}", with: "01JD3V7Q8N6T2K5M9XWZ4RBC1H")
      let taken = Set(operations.keys.map { $0.uppercased() })
      // A stream has no HEAD.
      let heads = path == "/events" ? [] : taken.contains("GET") ? ["HEAD"] : []
      let allowed = taken.union(["OPTIONS"]).union(heads)
      for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] where !taken.contains(method) {
        let reply = try gateway.ask(method, target)
        #expect(reply.status == (method == "OPTIONS" ? 204 : 405), "\(method) \(target) \(reply)")
        let found = reply.headers["allow"]?.components(separatedBy: ", ") ?? []
        #expect(Set(found) == allowed, "\(method) \(target) \(reply)")
      }
    }
  }

  private struct Example {
    let path: String
    let type: String
    let body: String
  }

  private func examples() throws -> [Example] {
    try paths.flatMap { path, operations -> [Example] in
      let post = operations["post"] as? [String: Any]
      let body = post?["requestBody"] as? [String: Any]
      let content = body?["content"] as? [String: [String: Any]] ?? [:]
      return try content.flatMap { type, media in
        let examples = media["examples"] as? [String: [String: Any]] ?? [:]
        return try examples.values.map { example in
          let value = example["value"] ?? NSNull()
          let lines = type.hasSuffix("x-ndjson") ? value as? [Any] ?? [] : [value]
          let text = try lines.map { line in
            let data = try JSONSerialization.data(withJSONObject: line, options: .fragmentsAllowed)
            return String(decoding: data, as: UTF8.self)
          }
          return Example(path: path, type: type, body: text.joined(separator: "\n"))
        }
      }
    }
  }

  @Test("the example bodies of the file are accepted")
  func examplesWork() throws {
    let examples = try examples()
    #expect(examples.count >= 5)
    for example in examples {
      let reply = try gateway.ask(
        "POST", example.path, ["Content-Type: \(example.type)"], body: example.body)
      #expect([200, 202].contains(reply.status), "\(example) \(reply)")
      #expect(!reply.body.contains("error"), "\(example) \(reply)")
    }
  }

  @Test("the page that shows the file needs no other host and runs only its own scripts")
  func page() throws {
    let reply = try gateway.get("/docs")
    let policy = try #require(reply.headers["content-security-policy"])
    let match = try #require(policy.firstMatch(of: /script-src 'nonce-([^']+)'/))
    let tags = reply.body.matches(of: /<(?:script|style)([^>]*)>/)
    #expect(tags.count == 2)
    for tag in tags { #expect(tag.1 == " nonce=\"\(match.1)\"") }
    #expect(try gateway.get("/docs").headers["content-security-policy"] != policy)
    for part in ["http://", "https://", "innerHTML", " style=", "NONCE", "@import", "url("] {
      #expect(!reply.body.contains(part), "\(part)")
    }
    #expect(reply.body.firstMatch(of: /\son[a-z]+=/) == nil)
    for part in ["<noscript>", "<main", "<nav aria-label=", "<html lang=", "viewport"] {
      #expect(reply.body.contains(part), "\(part)")
    }
  }
}

import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/sinks/elasticsearch", .needs("python3", "jq"))
struct ElasticsearchSinkTests {
  private let scratch: Scratch
  private let server: BulkServer
  private let sink = Scratch.sink("elasticsearch")

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    server = try BulkServer(scratch)
  }

  private func run(_ more: [String: String] = [:]) throws -> Run {
    try scratch.sh(sink, server.environment.merging(more) { $1 })
  }

  @Test("each record is in the index once after the server was killed and restarted")
  func crashes() throws {
    var ids = try scratch.storeMany(1...50_000)
    let following = Scratch.sink("elasticsearch", "--follow --size 1000 --stream")
    let consumer = try scratch.start(line: following, server.environment)
    try wait(until: { try scratch.lines(of: "documents").count > 0 })
    server.pause()
    ids += try scratch.storeMany(50_001...100_000)
    try scratch.waitForClaim()
    server.kill()
    try server.start()
    try wait(for: 100_000, "record") { 100_000 - (try scratch.unsettled()) }
    consumer.signal(SIGTERM)
    consumer.finish().expect("", errors: nil)
    let documents = try server.documents()
    #expect(documents.keys.sorted() == ids)
    #expect(documents[ids[41]] == #"{"n":42,"price":42.50,"text":"é"}"#)
  }

  @Test("only documents that the server refuses are buried, with the server's reason")
  func badDocuments() throws {
    let good = (1...20).map { #"{"age":\#($0)}"# }
    let bad = [#"{"age":"old"}"#, "[1]"]
    let lines = good[..<10] + bad + good[10...]
    try scratch.sh("pipe enqueue --raw --quiet", input: lines.joined(separator: "\n")).expect("")
    try run().expect("", errors: nil, status: 1)
    #expect(Set(try server.documents().values) == Set(good))
    let reasons = try scratch.buried()
    #expect(reasons.count == 2)
    #expect(reasons["[1]"]?.contains("not an object") == true)
    #expect(
      reasons[bad[0]]?.hasPrefix(
        "400 mapper_parsing_exception: failed to parse field [age] of type [long]") == true)
    #expect(
      reasons[bad[0]]?.hasSuffix(#"; illegal_argument_exception: For input string: "old""#) == true)
  }

  @Test("a document refused for lack of room is retried, and the others are not sent again")
  func busy() throws {
    let ids = try scratch.store(#"{"n":1}"#, #"{"busy":2}"#, #"{"n":3}"#)
    let first = try run().expect("", errors: nil, status: 1)
    #expect(
      first.errors.contains("\(ids[1]) item 1: 429 es_rejected_execution_exception"), first.story)
    #expect(try server.documents().count == 2)
    try run().expect("", errors: nil, status: 1)
    try run().expect("")
    #expect(try server.documents().count == 3)
  }

  @Test("redelivered items are not indexed again, and items of an id request are buried")
  func redelivery() throws {
    let ids = try scratch.store(#"{"n":1.50}"#, #"{"ids":[7]}"#)
    try scratch.sh("cp -r queue again").expect("")
    try run().expect("", errors: nil, status: 1)
    try run(["PIPE_QUEUE": scratch.path("again")]).expect("", errors: nil, status: 1)
    #expect(try server.documents() == [ids[0]: #"{"n":1.50}"#])
    #expect(try scratch.buried().keys.sorted() == ["7"])
  }

  @Test(
    "settings that cannot work stop the consumer, no attempt counted",
    arguments: [
      (["ELASTICSEARCH_URL": "http://elastic:wrong@127.0.0.1:PORT"], "security_exception"),
      (["ELASTICSEARCH_INDEX": "missing"], "no such index [missing]"),
      (["ELASTICSEARCH_INDEX": "closed"], "blocked by: [FORBIDDEN/8"),
      (["ELASTICSEARCH_URL": "what"], "ELASTICSEARCH_URL: not an address like http://HOST:PORT"),
      (["ELASTICSEARCH_URL": "127.0.0.1:PORT"], "ELASTICSEARCH_URL: not an address"),
      (["ELASTICSEARCH_URL": "http://127.0.0.1:1", "SINK_WAIT": "0.2"], "Connection refused"),
    ])
  func settings(environment: [String: String], words: String) throws {
    try scratch.store(#"{"n":1}"#)
    let run = try run(environment.mapValues { $0.replacing("PORT", with: "\(server.port)") })
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.contains(words), run.story)
    #expect(try scratch.attempts() == [#"{"n":1} 1"#])
  }

  @Test("an API key works as well as a password")
  func key() throws {
    try scratch.store(#"{"n":1}"#)
    let address = "http://127.0.0.1:\(server.port)/"
    try run(["ELASTICSEARCH_URL": address, "ELASTICSEARCH_API_KEY": "key"]).expect("")
    #expect(try server.documents().count == 1)
  }

  @Test("an API key may end with a newline, as in a file")
  func keyOfFile() throws {
    try scratch.store("{}")
    let address = "http://127.0.0.1:\(server.port)/"
    try run(["ELASTICSEARCH_URL": address, "ELASTICSEARCH_API_KEY": "key\n"]).expect("")
  }
}

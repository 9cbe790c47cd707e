import Foundation
import TestSupport
import Testing

@Suite("PIPE_LOG_FORMAT")
struct DiagnosticTests {
  private let scratch: Scratch
  private static let json = ["PIPE_LOG_FORMAT": "json"]

  init() throws { scratch = try Scratch() }

  private func run(_ line: String, input: String = "", status: Int32) throws -> [[String: Any]] {
    let run = try scratch.sh(line, input: input, DiagnosticTests.json)
    run.expect(nil, errors: nil, status: status)
    let lines = run.errors.split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { $0.hasPrefix(#"{"time":""#) }, run.story)
    return try lines.map(jsonObject)
  }

  @Test(
    "with json, a mistake on the command line of any command is one object",
    arguments: Page.commands)
  func everyCommand(command: String) throws {
    let found = try run("pipe \(command) --no-such-option", status: 64)
    #expect(found.count == 1)
    let object = try #require(found.first)
    #expect(Set(object.keys) == ["time", "level", "command", "message"], "\(object)")
    #expect(object["level"] as? String == "error" && object["command"] as? String == command)
    let message = object["message"] as? String ?? ""
    let ways = ["(see pipe \(command) --help)", "(enqueue prints ids, and pipe list shows them)"]
    #expect(ways.contains { message.hasSuffix($0) }, "\(message)")
    let time = object["time"] as? String ?? ""
    #expect(time.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/#) != nil, "\(time)")
  }

  @Test("the objects name the command, the queue, the entry, and the place in a file")
  func members() throws {
    let unknown = "01JD3V7Q8N6T2K5M9XWZ4RBC1H"
    let id = try scratch.store("1")[0]
    try scratch.write("1\n{\"a\":\n", to: "li\nnes")
    let queue = scratch.path("queue")
    for (line, status, expected) in [
      ("consme", 64, ["command": "pipe", "level": "error"]),
      ("help consme", 64, ["command": "help", "level": "error"]),
      (
        "list -q nowhere", 66,
        [
          "command": "list", "level": "error", "queue": "nowhere",
          "message": "nowhere: no such queue; pipe init or pipe enqueue creates one",
        ]
      ),
      (
        "ingest nothing", 66,
        ["command": "ingest", "level": "error", "file": "nothing", "queue": "none"]
      ),
      (
        "status \(unknown)", 1,
        [
          "command": "status", "level": "warning", "queue": queue, "id": unknown,
          "message": "\(unknown): no such id in \(queue)",
        ]
      ),
      (
        "ingest 'li\nnes' > out", 65,
        [
          "command": "ingest", "level": "warning", "file": #"li\u{a}nes"#, "line": 2, "byte": 6,
          "message": #"li\u{a}nes:2: byte 6: unexpected end"#,
        ]
      ),
      (
        "consume -- sh -c 'exit 65'", 1,
        [
          "command": "consume", "level": "warning", "queue": queue, "id": id,
          "message": "\(id) item 1: exit 65 (attempt 1); buried (dead letter)",
        ]
      ),
    ] as [(String, Int32, [String: Any])] {
      let object = try #require(try run("pipe \(line)", status: status).first, "\(line)")
      for (name, value) in expected {
        #expect("\(object[name] ?? "none")" == "\(value)", "\(line): \(object)")
      }
    }
  }

  @Test("what a command writes to stderr passes unchanged")
  func commands() throws {
    try scratch.store("1")
    let line = "pipe consume -- sh -c 'echo plain >&2'"
    try scratch.sh(line, DiagnosticTests.json).expect("", errors: "plain\n")
  }

  @Test("the gateway logs its diagnostics as objects, and its access log as ever")
  func serve() throws {
    let gateway = try Gateway(
      scratch, "--access-log", environment: DiagnosticTests.json)
    #expect(try gateway.post("/log", "1").status == 202)
    let run = gateway.stop()
    run.expect("", errors: nil)
    let objects = try run.errors.split(separator: "\n").map { try jsonObject(String($0)) }
    #expect(objects.map { $0["level"] as? String } == ["info", nil, "info"], run.story)
    #expect(objects[0]["message"] as? String == "listening on \(gateway.address)")
    #expect(objects[0]["queue"] as? String == scratch.path("queue"))
    #expect(objects[1]["status"] as? Int == 202 && objects[1]["command"] == nil)
    #expect(objects[2]["message"] as? String == "stopping")
    #expect(objects[2]["command"] as? String == "serve")
  }

  @Test("text is the default, and another value stops every command")
  func values() throws {
    let text = try scratch.sh("pipe status x", ["PIPE_LOG_FORMAT": "text"])
    let plain = try scratch.sh("pipe status x")
    text.expect("", errors: plain.errors, status: 66)
    for line in ["pipe enqueue --raw", "pipe stats", "pipe frobnicate"] {
      try scratch.sh(line, ["PIPE_LOG_FORMAT": "xml"]).expect(
        "", errors: "pipe: PIPE_LOG_FORMAT: xml is not one of text, json\n", status: 78)
    }
    #expect(try scratch.sh("test -e queue").ending == .exited(1))
  }
}

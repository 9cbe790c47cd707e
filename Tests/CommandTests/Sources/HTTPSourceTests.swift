import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/sources/http", .needs("curl"))
struct HTTPSourceTests {
  private let scratch: Scratch
  private let script = Scratch.example("sources/http")

  init() throws { scratch = try Scratch() }

  @Test("many lines travel in few requests, and each has its receipt once it is in the queue")
  func posts() throws {
    let gateway = try Gateway(scratch, "--access-log")
    let run = try scratch.sh("seq 2345 | \(script) \(gateway.address)/ingest").expect(errors: "")
    #expect(run.receipts.count == 2345)
    try scratch.expectEach(to: 2345)
    let log = gateway.stop().errors.split(separator: "\n").filter { $0.contains("/ingest") }
    #expect(log.count == 5)
  }

  @Test(
    "a body that is too long is halved, and a rejected line is reported by its place in the input")
  func rejects() throws {
    let gateway = try Gateway(scratch, "--max-body", "2KiB")
    let line = "(seq 700; echo '{\"a'; printf '%03000d\\n' 1 | tr 0 1; printf 701)"
    let run = try scratch.sh("set -o pipefail; \(line) | \(script) \(gateway.address)/ingest")
    run.expect(
      nil,
      errors: """
        {"file":"stdin","line":701,"byte":4,"error":"unexpected end","input":"{\\"a"}
        {"file":"stdin","line":702,"detail":"too long"}

        """, status: 65)
    #expect(run.receipts.count == 701)
    try scratch.expectEach(to: 701)
  }

  @Test("the source retries while the gateway's queue is full, and stores nothing twice")
  func full() throws {
    try scratch.prepare("init", "--max-items", "100")
    let gateway = try Gateway(scratch)
    let source = try start("\(gateway.address)/ingest", input: 300)
    // The first hundred are in; the source waits with the second.
    let ids = (1...100).map { _ in source.line() }
    #expect(!ids.contains(nil))
    let refused = "pipe stats --prometheus | grep -q '^ingestion_errors_total [1-9]'"
    try wait(until: { try scratch.sh(refused).ending == .exited(0) })
    // Into a file: items in a pipe are acknowledged only once a process has read them.
    let line = "exec pipe consume --follow -n 300 --size 1 > taken"
    let reader = try scratch.start(["sh", "-c", line])
    source.finish().expect(errors: "")
    reader.finish().expect("")
    #expect(try scratch.lines(of: "taken") == (1...300).map { "\($0)" })
  }

  @Test("the source waits for a missing gateway, and exits with 69 after SOURCE_WAIT")
  func away() throws {
    let gateway = try Gateway(scratch)
    gateway.stop().expect(errors: nil)
    let late = try scratch.sh(
      "echo 1 | \(script) \(gateway.address)/ingest", ["SOURCE_WAIT": "0"])
    #expect(late.ending == .exited(69), late.story)
    let source = try start("\(gateway.address)/ingest", input: 300)
    let words = source.errorLine() ?? ""
    #expect(words.hasPrefix("http: curl: (7) Failed to connect to 127.0.0.1 port"))
    #expect(words.hasSuffix("; trying again for 60 s"))
    let again = try scratch.start("serve", "--port", "\(gateway.port)")
    #expect(again.errorLine() != nil)
    let run = source.finish()
    #expect(run.receipts.count == 300)
    // Tried several times and reported once.
    let told = "\(words)\nhttp: \(gateway.address)/ingest answers again\n"
    #expect(run.errors == told, run.story)
    try scratch.expectEach(to: 300)
  }

  @Test("after a lost response the lines are sent again, and stderr says which may be stored twice")
  func unknown() throws {
    let gateway = try Gateway(scratch)
    let run = try throughLossy(gateway, [])
    #expect(run.receipts.count == 150 && run.ending == .exited(0), run.story)
    #expect(run.errors.contains("http: lines 1 to 100 may be stored twice\n"), run.story)
    #expect(try scratch.drained().count == 250)
  }

  @Test(
    "with --key nothing is stored twice, even if a response is lost or everything is sent again")
  func keyed() throws {
    let gateway = try Gateway(scratch)
    let first = try throughLossy(gateway, ["--key", "run-7"], "sed 's/.*/{\"n\":&}/'")
    #expect(first.receipts.count == 150 && first.ending == .exited(0), first.story)
    #expect(!first.errors.contains("twice"))
    let second = try scratch.sh(
      "seq 150 | sed 's/.*/{\"n\":&}/' | \(script) --key run-7 \(gateway.address)/ingest")
    #expect(second.receipts == first.receipts)
    #expect(try scratch.drained() == (1...150).map { "{\"n\":\($0)}" })
  }

  @Test("the source sends its token to the gateway, and exits with 77 without one")
  func token() throws {
    try scratch.write("secret-of-the-gateway\n", to: "token")
    let gateway = try Gateway(scratch, "--token-file", "token")
    let line = "echo 1 | \(script) \(gateway.address)/ingest"
    let stranger = try scratch.sh(line)
    #expect(stranger.ending == .exited(77), stranger.story)
    let known = try scratch.sh(line, ["HTTP_TOKEN": "secret-of-the-gateway"])
    #expect(known.receipts.count == 1, known.story)
  }

  @Test("--help prints the script's header, and an unknown option is an error that sends nothing")
  func options() throws {
    let help = try scratch.run([script, "--help"]).expect(nil)
    #expect(help.lines.first?.hasPrefix("A source: sends lines of JSON to the gateway") == true)
    #expect(help.lines.last?.hasPrefix("HTTP_TOKEN, ") == true)
    for (wrong, words) in [
      (["--key"], "--key needs a name"), (["--kee", "x"], "unknown option --kee"),
      (["http://a/", "http://b/"], "more than one address"),
    ] {
      try scratch.run([script] + wrong).expect(
        "", errors: "http: \(words); see --help\n", status: 64)
    }
  }

  @Test(
    "a wrong setting is named, and the status is 78",
    arguments: [("SOURCE_WAIT", "1m", "seconds"), ("SOURCE_LINES", "x", "lines")])
  func settings(name: String, value: String, what: String) throws {
    try scratch.run([script], [name: value]).expect(
      "", errors: "http: \(name): '\(value)' is not a number of \(what)\n", status: 78)
  }

  @Test("a response with too few receipts counts as lost, and the source ends with 75")
  func tooFew() throws {
    let lossy = try LossyProxy(scratch, to: 0)
    let run = try scratch.sh("seq 3 | \(script) \(lossy.address)", ["SOURCE_WAIT": "0"])
    let words = "http: from line 1 on: 0 answers to 3 lines from \(lossy.address)\n"
    run.expect("", errors: words, status: 75)
    let gateway = try Gateway(scratch)
    let blank = "printf '\\xef\\xbb\\xbf\\n1\\n\\n \\r\\n2'"
    try scratch.sh("\(blank) | \(script) \(gateway.address)/ingest").expect()
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("neither ps nor stderr shows the password of the address or the token")
  func secrets() throws {
    let line = "mkdir around; cat > around/curl; chmod +x around/curl"
    let curl = "#!/bin/bash\necho \"$@\" > arguments\nPATH=${PATH#*:}\nexec curl \"$@\"\n"
    try scratch.sh(line, input: curl).expect("")
    let environment = [
      "PATH": scratch.path("around") + ":" + (scratch.environment["PATH"] ?? ""),
      "SOURCE_URL": "http://me:secret@127.0.0.1:1/", "HTTP_TOKEN": "secret", "SOURCE_WAIT": "0",
    ]
    let run = try scratch.sh("echo 1 | \(script)", environment)
    #expect(run.ending == .exited(69), run.story)
    #expect(
      run.errors.hasPrefix("http: http://127.0.0.1:1/ cannot be reached: curl: (7)"), run.story)
    #expect(!run.errors.contains("secret"), run.story)
    try scratch.sh("grep -c secret arguments").expect("0\n", status: 1)
    try scratch.sh("grep -c connect-timeout arguments").expect("1\n")
  }

  private func start(_ address: String, input count: Int) throws -> Child {
    let child = try scratch.start([script, address], ["SOURCE_LINES": "100"])
    child.feed((1...count).map { "\($0)\n" }.joined())
    child.endInput()
    return child
  }

  /// 150 lines through a proxy that passes the first request on and withholds its response.
  private func throughLossy(
    _ gateway: Gateway, _ options: [String], _ filter: String = "cat"
  ) throws -> Run {
    let proxy = try LossyProxy(scratch, to: gateway.port)
    let all = ([script] + options + [proxy.address + "/ingest"]).joined(separator: " ")
    return try scratch.sh("seq 150 | \(filter) | \(all)", ["SOURCE_LINES": "100"])
  }
}

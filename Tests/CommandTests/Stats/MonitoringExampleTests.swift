import Foundation
import TestSupport
import Testing

@Suite("examples/monitoring")
struct MonitoringExampleTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.sh("cp -r '\(Repository.path)/examples/monitoring' .").expect("")
  }

  @Test("promtool approves of the examples, and the rules pass their tests", .needs("promtool"))
  func rules() throws {
    for command in [
      "check rules alerts.yml", "check config prometheus.yml", "test rules alerts-test.yml",
    ] {
      try scratch.sh("cd monitoring; promtool \(command)").expect(nil, errors: nil)
    }
  }

  @Test("each rule has a test that expects it to fire, and the README explains it")
  func complete() throws {
    let rules = try names(in: "alerts.yml", #"alert: *(\w+)"#)
    #expect(rules.count > 5)
    #expect(
      Set(try names(in: "alerts-test.yml", #"alertname: *(\w+)\n +exp_alerts"#)) == Set(rules))
    #expect(try names(in: "README.md", #"(?m)^\| `(Pipe\w+)` "#).sorted() == rules.sorted())
  }

  @Test("the examples use only metrics that stats has, and the dashboard uses all of them")
  func metrics() throws {
    try scratch.prepare("init")
    let text = try scratch.pipe("stats", "--prometheus").expect().output
    let known = Set(text.matches(of: #/# TYPE (\w+) /#).map { String($0.1) })
    let form =
      #"\b((?:pipe|ingested|failed|ingestion)_[a-z_]+?)(?:_bucket|_sum|_count)?\b(?![a-z_])"#
    for file in ["alerts.yml", "alerts-test.yml", "dashboard.json", "README.md"] {
      let used = Set(try names(in: file, form))
      #expect(used.isSubset(of: known), "\(file): \(used.subtracting(known))")
    }
    #expect(Set(try names(in: "dashboard.json", form)) == known)
    let dashboard = try JSONSerialization.jsonObject(
      with: Data(try scratch.read("monitoring/dashboard.json")))
    #expect((dashboard as? [String: Any])?["panels"] is [Any])
  }

  @Test("the README shows how a label distinguishes several queues", .needs("promtool"))
  func label() throws {
    try scratch.prepare("enqueue", "--raw", "-q", "/\(scratch.path)/mailer", input: "1\n")
    let block = try names(in: "README.md", #"(?s)    (pipe stats -q .*?pipe-mailer\.prom)\n"#)[0]
    let lines = block.replacing("/var/lib/mailer/queue", with: "mailer")
    try scratch.sh(lines).expect("")
    try scratch.sh(
      "promtool check metrics < pipe-mailer.prom; "
        + "grep -v '^#' pipe-mailer.prom | grep -vc 'queue=\"mailer\"'; "
        + "grep '^ingested' pipe-mailer.prom; ls pipe-mailer*"
    ).expect("0\ningested_rows_total{queue=\"mailer\"} 1\npipe-mailer.prom\n")
  }

  private func names(in file: String, _ form: String) throws -> [String] {
    let text = String(decoding: try scratch.read("monitoring/" + file), as: UTF8.self)
    return text.matches(of: try Regex<(Substring, Substring)>(form)).map { String($0.1) }
  }
}

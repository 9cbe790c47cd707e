import Foundation
import TestSupport
import Testing

@Suite("Dashboard", .serialized, .needs("chromium", "chromedriver"))
struct DashboardTests {
  @Test("the page shows every figure of stats --json as pipe stats prints it")
  func showsFigures() throws {
    let scratch = try Scratch()
    try scratch.fillWithHistory()
    let gateway = try Gateway(scratch)
    let page = try Dashboard(scratch, gateway)
    let shown = try page.figures()
    let printed = try scratch.one("stats", "--json")
    for (name, value) in flat(printed, "stats") where !name.contains(".window.") {
      if name.hasPrefix("stats.ages.") { continue }
      let figure = try #require(shown[name], "\(name)")
      // The oldest item is older by now.
      if name.contains("oldest_ready") {
        #expect((figure.value == "null") == (value == "null"))
      } else {
        #expect(Double(figure.value) == Double(value), "\(name)")
      }
    }
    let table = try scratch.pipe("stats").expect().lines.map(cells)
    for (name, texts) in page.rows(shown) {
      let isThere = table.contains { $0.first == name && Array($0.dropFirst()) == texts }
      #expect(isThere, "\(name) \(texts) is not in \(table)")
    }
    try page.expectQuiet()
  }

  @Test("a change in the queue appears on the page without a reload")
  func isLive() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let page = try Dashboard(scratch, gateway)
    try page.run("window.mark = 1")
    try scratch.store(#"{"priority":"HIGH","n":1}"#, #"{"priority":"HIGH","n":1}"#)
    try page.wait(#"\#(figure("stats.items.ready.HIGH")) === '2'"#)
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try page.wait(#"\#(figure("stats.items.dead.HIGH")) === '1'"#)
    try page.wait("document.querySelectorAll('#dead tbody tr').length === 1")
    #expect(try page.text("window.mark") == "1")
    try page.expectQuiet()
  }

  @Test("markup in an entry, a reason or a command is shown as text, and no script in it runs")
  func escapes() throws {
    let scratch = try Scratch()
    let gate = try Gate(scratch)
    let data =
      #"{"priority":"<img src=x onerror=alert(1)>","x":"</script><script>alert(2)</script>"}"#
    let reason = "<script>alert(3)</script><b>&amp;"
    try scratch.store(data)
    try scratch.sh("pipe batch -n 1 --hold 1m | pipe ack --bury --reason '\(reason)'").expect()
    try scratch.store("1")
    let command = "echo; read go < gate # <script>alert(4)</script>"
    let worker = try scratch.start("consume", "--", "sh", "-c", command)
    #expect(worker.line() == "")
    let gateway = try Gateway(scratch)
    let page = try Dashboard(scratch, gateway)
    for text in [data, reason, command] {
      #expect(try page.text("document.body.innerText").contains(text), "\(text)")
    }
    #expect(try page.text("document.querySelectorAll('script').length") == "1")
    #expect(
      try page.text("document.querySelectorAll('#board img, #board b:not([data-figure])').length")
        == "0")
    try page.expectQuiet()
    // The page refuses inline scripts and styles as well.
    try page.run("document.body.setAttribute('style', 'color: red')")
    let complaints = try page.browser.complaints()
    #expect(complaints.contains { $0.contains("Content Security Policy") }, "\(complaints)")
    gate.letPass()
  }

  @Test("the keyboard alone suffices to enter the token and to retry a dead letter")
  func retries() throws {
    let scratch = try Scratch()
    let ids = try scratch.bury("1", "2")
    let gateway = try Gateway(scratch, "--token-file", try scratch.token())
    let page = try Dashboard(scratch, gateway, isOpen: false)
    for attempt in ["wrong", Scratch.secret] {
      try page.wait("document.activeElement.id === 'token'")
      try page.browser.press(attempt + Browser.enter)
      let state =
        attempt == "wrong" ? "document.getElementById('wrong').textContent" : Dashboard.isLive
      try page.wait(state)
    }
    #expect(try page.text("JSON.stringify(sessionStorage)") == #"{"token":"\#(Scratch.secret)"}"#)
    #expect(try page.text("localStorage.length + document.cookie") == "0")
    for (id, focus) in [(ids[0], "BUTTON"), (ids[1], "H2")] {
      while try page.text("document.activeElement.textContent") != "Retry" {
        try page.browser.press(Browser.tab)
      }
      try page.browser.press(Browser.enter)
      try page.wait(
        "document.getElementById('said').textContent === '1 item of \(id) ready again.'")
      try page.wait("!document.querySelector('#dead').textContent.includes('\(id)')")
      #expect(try page.text("document.activeElement.tagName") == focus)
    }
    try scratch.pipe("dead").expect("")
    try scratch.pipe("consume").expect("1\n2\n")
    // The browser itself reports the two 401 responses.
    try page.expectQuiet { !$0.contains("401") }
  }

  @Test("without a token the page offers no retry and asks for no token")
  func hasNoButton() throws {
    let scratch = try Scratch()
    _ = try scratch.bury("1")
    let gateway = try Gateway(scratch)
    let page = try Dashboard(scratch, gateway)
    #expect(try page.text("document.querySelectorAll('#dead tbody tr').length") == "1")
    #expect(try page.text("document.querySelectorAll('#dead button').length") == "0")
    #expect(try page.text("document.getElementById('form').hidden") == "true")
  }

  @Test("while the gateway is away the page says so and how old its figures are, then reconnects")
  func reconnects() throws {
    let scratch = try Scratch()
    let first = try Gateway(scratch)
    let page = try Dashboard(scratch, first)
    first.stop().expect("", errors: nil)
    try page.wait("document.getElementById('state').textContent.startsWith('Not connected')")
    try page.wait("document.getElementById('age').textContent.includes(' old, from ')")
    try scratch.store(#"{"priority":"LOW","n":1}"#)
    let second = try Gateway(scratch, "--port", "\(first.port)")
    try page.wait(Dashboard.isLive)
    try page.wait(#"\#(figure("stats.items.ready.LOW")) === '1'"#)
    second.stop().expect("", errors: nil)
  }
}

/// The dashboard of a gateway in a browser.
struct Dashboard {
  let browser: Browser
  private let gateway: Gateway

  static let isLive = "document.body.className === 'live'"

  /// `isOpen`: no token is needed.
  init(
    _ scratch: Scratch, _ gateway: Gateway, width: Int = 1280, isDark: Bool = false,
    isOpen: Bool = true
  ) throws {
    self.gateway = gateway
    browser = try Browser(scratch, width: width, isDark: isDark)
    try browser.open(gateway.address + "/")
    if isOpen { try wait(Dashboard.isLive) }
  }

  func wait(_ expression: String) throws { try browser.waitUntil(expression) }
  func text(_ expression: String) throws -> String { try browser.text(expression) }
  @discardableResult func run(_ body: String) throws -> Any? { try browser.run(body) }

  /// Value and text of each figure, by name.
  func figures() throws -> [String: (value: String, text: String)] {
    let all = try run(
      """
      return [...document.querySelectorAll('[data-figure]')]
        .map(node => [node.dataset.figure, node.dataset.value, node.textContent])
      """)
    let triples = all as? [[String]] ?? []
    return Dictionary(triples.map { ($0[0], ($0[1], $0[2])) }) { $1 }
  }

  /// Rows of the table of `pipe stats`, built from the figures.
  func rows(_ shown: [String: (value: String, text: String)]) -> [(String, [String])] {
    let row = { (names: [String]) in names.map { shown[$0]?.text ?? "none" } }
    let lanes = ["HIGH", "MEDIUM", "LOW", "all"]
    return ["ready", "claimed", "later", "dead", "done"].map { state in
      (state, row(lanes.map { "stats.items.\(state).\($0)" }))
    }
      + ["mean", "p50", "p90", "p99", "p99.9", "max"].map { name in
        (name, row(["wait", "service", "total"].map { "stats.latency.\($0).\(name)" }))
      } + [
        ("in", row(["stats.rates.in_per_second"])), ("out", row(["stats.rates.out_per_second"])),
      ]
  }

  /// Expects no message in the console and no request to another host.
  func expectQuiet(
    at location: SourceLocation = #_sourceLocation, but isMeant: (String) -> Bool = { _ in true }
  ) throws {
    let complaints = try browser.complaints().filter(isMeant)
    #expect(complaints == [], sourceLocation: location)
    let requests = try browser.requests()
    #expect(requests.contains(gateway.address + "/events"), sourceLocation: location)
    let others = requests.filter { !$0.hasPrefix(gateway.address + "/") }
    #expect(others == [], sourceLocation: location)
  }
}

/// The expression for the text of a figure on the page.
private func figure(_ name: String) -> String {
  "document.querySelector('[data-figure=\"\(name)\"]').textContent"
}

/// The leaves of an object as JSON text, by their paths.
private func flat(_ value: Any, _ path: String) -> [(String, String)] {
  if let object = value as? [String: Any] {
    return object.flatMap { flat($0.value, "\(path).\($0.key)") }
  }
  return [(path, value is NSNull ? "null" : "\(value)")]
}

/// Cells of a line, which two or more spaces separate.
private func cells(_ line: String) -> [String] {
  line.components(separatedBy: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
    .filter { !$0.isEmpty }
}

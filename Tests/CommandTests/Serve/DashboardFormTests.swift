import Foundation
import TestSupport
import Testing

@Suite("Dashboard layout", .serialized, .needs("chromium", "chromedriver"))
struct DashboardFormTests {
  @Test("nothing on the dashboard is wider than a phone's screen", arguments: [320, 360])
  func fitsPhones(width: Int) throws {
    let scratch = try Scratch()
    try scratch.fillWithLongNames()
    let gateway = try Gateway(scratch, "--token-file", try scratch.token())
    let page = try Dashboard(scratch, gateway, width: width, isOpen: false)
    #expect(try page.text("document.documentElement.scrollWidth") == "\(width)", "the form")
    try page.enter()
    #expect(try page.text("innerWidth") == "\(width)")
    #expect(try page.text("document.documentElement.scrollWidth") == "\(width)")
    try page.expectQuiet { !$0.contains("401") }
  }

  @Test("a screen reader finds tables with names, headers and cells, even on a phone")
  func keepsTables() throws {
    let scratch = try Scratch()
    try scratch.fillWithLongNames()
    let gateway = try Gateway(scratch)
    let page = try Dashboard(scratch, gateway, width: 360)
    let tree = try page.browser.command("Accessibility.getFullAXTree", [:]) as? [String: Any]
    let nodes = (tree?["nodes"] as? [[String: Any]] ?? []).filter { $0["ignored"] as? Bool != true }
    let named = nodes.map { node in
      let value = { (name: String) in (node[name] as? [String: Any])?["value"] as? String ?? "" }
      return "\(value("role")) \(value("name"))"
    }
    for name in [
      "table by state and priority", "table of acknowledged items", "columnheader reason",
      "table Items that are no longer tried", "columnheader MEDIUM", "rowheader oldest ready",
      "main ", "banner ", "heading Dead letters", "region Dead letters",
    ] { #expect(named.contains(name), "\(name)") }
    #expect(
      named.contains { $0.hasPrefix("image Items per minute over the last hour. in: 50 items") })
  }

  @Test("all text on the page has enough contrast with its background", arguments: [false, true])
  func hasContrast(isDark: Bool) throws {
    let scratch = try Scratch()
    try scratch.fillWithHistory()
    let gateway = try Gateway(scratch)
    let page = try Dashboard(scratch, gateway, isDark: isDark)
    let back = try page.text("getComputedStyle(document.body).backgroundColor")
    #expect(back == (isDark ? "rgb(18, 22, 27)" : "rgb(246, 247, 248)"))
    let ratios = try page.run(contrasts) as? [String: Double] ?? [:]
    #expect(ratios.count > 5)
    // Level AA of WCAG 2.2, 1.4.3.
    #expect(ratios.filter { $0.value < 4.5 }.isEmpty, "\(ratios)")
  }

  @Test("the charts have an equivalent table, which opens with the keyboard")
  func tellsCharts() throws {
    let scratch = try Scratch()
    try scratch.fillWithHistory()
    let gateway = try Gateway(scratch)
    let page = try Dashboard(scratch, gateway)
    while try page.text("document.activeElement.tagName") != "SUMMARY" {
      try page.browser.press(Browser.tab)
    }
    try page.browser.press(Browser.enter)
    try page.wait("document.querySelectorAll('#numbers tbody tr').length === 60")
    let rows = try page.run(
      """
      return [...document.querySelectorAll('#numbers tbody tr')]
        .map(line => [...line.cells].slice(1, 4).map(cell => +cell.textContent))
      """)
    let numbers = rows as? [[Int]] ?? []
    let sums = (0..<3).map { column in numbers.reduce(0) { $0 + $1[column] } }
    #expect(sums == [12, 6, 3])
    #expect(try page.text("document.querySelectorAll('#pace path').length") == "3")
    try page.wait("document.querySelector('#time circle')")
  }
}

extension Dashboard {
  /// Enters the token.
  fileprivate func enter() throws {
    try wait("document.activeElement.id === 'token'")
    try browser.press(Scratch.secret + Browser.enter)
    try wait(Dashboard.isLive)
  }
}

extension Scratch {
  /// Dead letters whose text cannot be broken between words.
  fileprivate func fillWithLongNames() throws {
    try fillWithDead()
    try sh("pipe retry --all; pipe batch --size 40 -n 1 --hold 1m > /dev/null").expect(errors: nil)
    let reason = String(repeating: "w", count: 1000)
    try sh("pipe batch --size 50 -n 1 --hold 1m | pipe ack --bury --reason \(reason)").expect()
  }
}

/// The lowest contrast of each kind of text with its background (WCAG 2.2, contrast ratio).
private let contrasts = """
  const light = color => {
    const parts = color.match(/[\\d.]+/g).map(Number).slice(0, 3).map(part => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
  }
  const found = {}
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node; node = walker.nextNode();) {
    const element = node.parentElement
    if (!node.textContent.trim() || !element.getClientRects().length) continue
    let behind = element
    while (behind && /rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement
    const style = getComputedStyle(element)
    const back = getComputedStyle(behind || document.documentElement).backgroundColor
    const front = element.namespaceURI.endsWith('svg') ? style.fill : style.color
    const [high, low] = [light(front), light(back)].sort((one, other) => other - one)
    found[front + ' on ' + back] = (high + 0.05) / (low + 0.05)
  }
  return found
  """

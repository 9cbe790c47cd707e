import Foundation
import Glibc
import TestSupport
import Testing

/// A real, headless Chromium, driven over WebDriver (w3.org/TR/webdriver2). It ends with the test.
final class Browser {
  private let driver: Child
  private let port: UInt16
  private var session = ""

  /// `width`: of the window; a window narrower than 500 is a phone.
  init(_ scratch: Scratch, width: Int = 1280, isDark: Bool = false) throws {
    port = UInt16(try Loopback.freePorts(1)[0])
    driver = try scratch.start(["chromedriver", "--port=\(port)"])
    var log: [String] = []
    while let line = driver.line() {
      log.append(line)
      if line.contains("started successfully") { break }
    }
    guard log.last?.contains("started successfully") == true else {
      throw Failure("no chromedriver: \(log) \(driver.finish())")
    }
    var chrome: [String: Any] = [
      "args": [
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=\(width),900",
        "--user-data-dir=\(scratch.path("profile"))",
      ]
    ]
    if width < 500 {
      let screen = ["width": width, "height": 740, "pixelRatio": 2]
      chrome["mobileEmulation"] = ["deviceMetrics": screen]
    }
    let wanted: [String: Any] = [
      "browserName": "chrome", "goog:chromeOptions": chrome,
      "goog:loggingPrefs": ["browser": "ALL", "performance": "ALL"],
    ]
    let answer = try ask("POST", "/session", ["capabilities": ["alwaysMatch": wanted]])
    guard let id = (answer as? [String: Any])?["sessionId"] as? String else {
      throw Failure("no session: \(String(describing: answer))")
    }
    session = "/session/\(id)"
    let scheme = ["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]
    try command("Emulation.setEmulatedMedia", ["features": [scheme]])
  }

  func open(_ address: String) throws { try ask("POST", session + "/url", ["url": address]) }

  /// Runs a function with this body in the page, and returns its result.
  @discardableResult
  func run(_ body: String) throws -> Any? {
    try ask("POST", session + "/execute/sync", ["script": body, "args": [String]()])
  }

  func text(_ expression: String) throws -> String {
    try run("return String(\(expression))") as? String ?? ""
  }

  /// Waits until an expression is true.
  func waitUntil(_ expression: String) throws {
    try wait(
      until: { try run("return Boolean(\(expression))") as? Bool == true }, expression)
  }

  /// Presses keys, one after the other, in the element with the focus.
  func press(_ keys: String) throws {
    let strokes = keys.flatMap { key in
      [["type": "keyDown", "value": "\(key)"], ["type": "keyUp", "value": "\(key)"]]
    }
    let keyboard: [String: Any] = ["type": "key", "id": "keyboard", "actions": strokes]
    try ask("POST", session + "/actions", ["actions": [keyboard]])
  }

  static let enter = "\u{e007}"
  static let tab = "\u{e004}"

  /// A command of the DevTools protocol.
  @discardableResult
  func command(_ name: String, _ parameters: [String: Any]) throws -> Any? {
    try ask("POST", session + "/goog/cdp/execute", ["cmd": name, "params": parameters])
  }

  /// Console messages since the last call: errors, warnings, policy violations.
  func complaints() throws -> [String] {
    try log("browser").compactMap { $0["message"] as? String }
  }

  /// Addresses of all requests since the last call, except the browser's internal ones.
  func requests() throws -> [String] {
    try log("performance").compactMap { entry in
      let message = (entry["message"] as? String ?? "").object["message"] as? [String: Any]
      guard message?["method"] as? String == "Network.requestWillBeSent" else { return nil }
      let parameters = message?["params"] as? [String: Any]
      return (parameters?["request"] as? [String: Any])?["url"] as? String
    }.filter { !$0.hasPrefix("chrome:") && !$0.hasPrefix("data:") }
  }

  private func log(_ type: String) throws -> [[String: Any]] {
    try ask("POST", session + "/se/log", ["type": type]) as? [[String: Any]] ?? []
  }

  @discardableResult
  private func ask(_ method: String, _ path: String, _ body: [String: Any]? = nil) throws -> Any? {
    let connection = try Connection(port)
    let text = try body.map {
      String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self)
    }
    connection.send(Gateway.request(method, path, ["Content-Type: application/json"], body: text))
    let reply = try connection.reply()
    guard reply.status == 200 else { throw Failure("\(method) \(path) \(text ?? ""): \(reply)") }
    return try reply.object()["value"]
  }

  deinit { _ = try? ask("DELETE", session) }
}

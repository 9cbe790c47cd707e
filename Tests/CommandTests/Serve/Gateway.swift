import Foundation
import Glibc
import TestSupport
import Testing

/// `pipe serve` on a free port of loopback. It ends with the test.
final class Gateway {
  let child: Child
  let port: UInt16
  private let scratch: Scratch

  /// `prefix`: the program that runs it.
  convenience init(
    _ scratch: Scratch, _ options: String..., environment: [String: String] = [:],
    under prefix: [String] = []
  ) throws {
    try self.init(scratch, options: options, environment: environment, under: prefix)
  }

  init(
    _ scratch: Scratch, options: [String], environment: [String: String] = [:],
    under prefix: [String] = []
  ) throws {
    self.scratch = scratch
    let program = prefix + [scratch.binary, "serve", "--port", "0"] + options
    child = try scratch.start(program, environment)
    var line = child.errorLine()
    // Warnings may come first.
    while let said = line, !said.contains("listening on ") { line = child.errorLine() }
    guard let found = line?.firstMatch(of: #/listening on [^"]*:(\d+)/#),
      let port = UInt16(found.1)
    else { throw Failure("no gateway: \(child.finish())") }
    self.port = port
  }

  var address: String { "http://127.0.0.1:\(port)" }

  /// Sends one request over a connection of its own.
  func ask(
    _ method: String, _ path: String, _ headers: [String] = [], body: String? = nil
  ) throws -> Reply {
    let connection = try Connection(port)
    connection.send(Gateway.request(method, path, headers, body: body))
    return try connection.reply(isHead: method == "HEAD")
  }

  func post(_ path: String, _ body: String, _ headers: String...) throws -> Reply {
    try ask("POST", path, ["Content-Type: application/json"] + headers, body: body)
  }

  func get(_ path: String, _ headers: String...) throws -> Reply { try ask("GET", path, headers) }

  static func request(
    _ method: String, _ path: String, _ headers: [String] = [], body: String? = nil
  ) -> String {
    let length = body.map { ["Content-Length: \($0.utf8.count)"] } ?? []
    let lines = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers + length
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
  }

  /// Resident memory in bytes (`VmRSS`).
  func memory() throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(child.process)/status", encoding: .utf8)
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
      let kilobytes = line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first
    else { throw Failure("no memory: \(text)") }
    return (Int(kilobytes) ?? 0) << 10
  }

  /// Ends it as a service manager does.
  func stop() -> Run {
    child.signal(SIGTERM)
    return child.finish()
  }
}

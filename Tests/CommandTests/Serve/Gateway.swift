import Foundation
import Glibc
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
    let program = prefix + [Scratch.binary, "serve", "--port", "0"] + options
    child = try scratch.start(program, environment)
    var line = child.complaint()
    // Warnings may come first.
    while let said = line, !said.contains(" listening on ") { line = child.complaint() }
    guard let line, let colon = line.lastIndex(of: ":"),
      let port = UInt16(line[line.index(after: colon)...])
    else { throw Failure("no gateway: \(child.finish())") }
    self.port = port
  }

  var address: String { "http://127.0.0.1:\(port)" }

  /// Sends one request over a connection of its own.
  func ask(
    _ method: String, _ path: String, _ headers: [String] = [], body: String? = nil
  ) throws -> Reply {
    let wire = try Wire(port)
    wire.send(Gateway.request(method, path, headers, body: body))
    return try wire.reply(isHead: method == "HEAD")
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

/// A response of the gateway.
struct Reply: CustomStringConvertible {
  let status: Int
  /// Names in lower case.
  let headers: [String: String]
  let body: String

  var description: String { "\(status) \(headers)\n\(body)" }

  func object() throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
    else { throw Failure("no object: \(self)") }
    return object
  }

  /// The detail of `{"detail":"…","status_code":N}`; throws unless N is the status.
  func detail() throws -> String {
    let object = try object()
    guard object["status_code"] as? Int == status, let detail = object["detail"] as? String else {
      throw Failure("no error: \(self)")
    }
    return detail
  }

  func receipt() throws -> String {
    guard let id = try object()["ingestion_id"] as? String else { throw Failure("no id: \(self)") }
    return id
  }
}

/// A connection, byte by byte.
final class Wire {
  private var number: Int32
  private var bytes: [UInt8] = []
  private(set) var isOver = false

  /// `client`: the last byte of its address in 127.0.0.0/24. `buffer`: bytes that the kernel
  /// accepts while nothing is read; nil: the default.
  init(_ port: UInt16, from client: UInt32 = 1, buffer: Int32? = nil) throws {
    number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    if var buffer {
      setsockopt(number, SOL_SOCKET, SO_RCVBUF, &buffer, socklen_t(MemoryLayout<Int32>.size))
    }
    let isBound = client == 1 || Wire.call(bind, number, 0x7f00_0000 + client, 0) == 0
    guard isBound, Wire.call(connect, number, 0x7f00_0001, port) == 0 else {
      throw Failure("connect: \(errno)")
    }
    // A longer wait never ends.
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  private static func call(
    _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ number: Int32,
    _ host: UInt32, _ port: UInt16
  ) -> Int32 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = host.bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        function(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(number, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      sent += count
    }
  }

  /// Sends what the other side accepts while none of its responses are read.
  func sendWhatIsTaken(_ bytes: [UInt8]) {
    var patience = timeval(tv_sec: 0, tv_usec: 50_000)
    setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    send(bytes)
  }

  /// Breaks the connection with a reset.
  func abort() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(number, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }

  /// Half-closes: nothing more will be sent.
  func endSending() { shutdown(number, Int32(SHUT_WR)) }

  /// The head of the next response.
  func head() throws -> String {
    let end = Array("\r\n\r\n".utf8)
    while bytes.firstRange(of: end) == nil {
      guard receive() else { throw Failure("no answer: \(String(decoding: bytes, as: UTF8.self))") }
    }
    let head = bytes.firstRange(of: end)!
    defer { bytes.removeSubrange(..<head.upperBound) }
    return String(decoding: bytes[..<head.lowerBound], as: UTF8.self)
  }

  /// The next response.
  func reply(isHead: Bool = false) throws -> Reply {
    let lines = try head().components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    guard let status = Int(lines[0].split(separator: " ")[1]) else {
      throw Failure("no status: \(lines[0])")
    }
    let hasBody = !isHead && status >= 200 && status != 204
    let length = hasBody ? headers["content-length"].flatMap(Int.init) : 0
    while length.map({ bytes.count < $0 }) ?? true, receive() {}
    let body = bytes.prefix(length ?? bytes.count)
    bytes.removeFirst(body.count)
    return Reply(status: status, headers: headers, body: String(decoding: body, as: UTF8.self))
  }

  /// All responses until the other side closes.
  func replies() throws -> [Reply] {
    var all: [Reply] = []
    while !bytes.isEmpty || receive() { all.append(try reply()) }
    return all
  }

  /// Everything that is received until the other side closes.
  func rest() -> String {
    while receive() {}
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads what is there without waiting.
  func look() { while receive(Int32(MSG_DONTWAIT)) {} }

  // false: the other side has closed or sent nothing for a minute.
  private func receive(_ flags: Int32 = 0) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(number, &buffer, buffer.count, flags)
    if count > 0 { bytes += buffer[..<count] } else { isOver = count == 0 }
    return count > 0
  }

  /// The connection as a descriptor, which the caller owns from here on.
  func release() -> Int32 {
    defer { number = -1 }
    return number
  }

  deinit { if number >= 0 { close(number) } }
}

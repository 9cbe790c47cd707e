import Foundation
import Glibc
import TestSupport

/// A connection, byte by byte.
final class Connection {
  private var number: Int32
  private var bytes: [UInt8] = []
  private(set) var isOver = false

  /// `client`: the last byte of its address in 127.0.0.0/24. `buffer`: bytes that the kernel
  /// accepts while nothing is read; nil: the default.
  init(_ port: UInt16, from client: UInt32 = 1, buffer: Int32? = nil) throws {
    number = try Loopback.connect(to: port, from: client, buffer: buffer)
    // A longer wait never ends.
    var patience = timeval(tv_sec: Patience.seconds, tv_usec: 0)
    setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
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

  // false: the other side has closed or sent nothing for minutes.
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

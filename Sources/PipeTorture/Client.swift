internal import Glibc

/// One request to a gateway: lines posted to /ingest.
final class Client {
  private(set) var fd: Int32
  private var request: [UInt8]
  private var response: [UInt8] = []

  /// nil if there is no connection.
  init?(port: UInt16, body: [UInt8]) {
    request = Array(
      """
      POST /ingest HTTP/1.1\r
      Host: localhost\r
      Content-Type: application/x-ndjson\r
      Content-Length: \(body.count)\r
      Connection: close\r
      \r

      """.utf8)
    request += body
    fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    // The gateway listens, so the kernel accepts without it.
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if result != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 {
      close(fd)
      return nil
    }
  }

  var isSending: Bool { !request.isEmpty }

  /// Sends or reads what it can. Returns false once the connection is over.
  func proceed() -> Bool {
    if isSending {
      let count = send(fd, request, request.count, Int32(MSG_NOSIGNAL))
      if count > 0 { request.removeFirst(count) }
      return count > 0 || errno == EAGAIN || errno == EINTR
    }
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = recv(fd, &buffer, buffer.count, 0)
    if count > 0 { response += buffer.prefix(count) }
    return count > 0 || count < 0 && (errno == EAGAIN || errno == EINTR)
  }

  /// The number of receipts so far.
  var receipts: Int {
    let text = String(decoding: response, as: UTF8.self)
    guard text.hasPrefix("HTTP/1.1 202 ") else { return 0 }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    return lines.count { $0.hasPrefix(#"{"ingestion_id":""#) && $0.hasSuffix(#""}"#) }
  }

  deinit { close(fd) }
}

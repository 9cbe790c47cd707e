internal import Glibc
internal import PipeGateway
internal import PipeIO
internal import Synchronization

/// A token file, and the token last read from it.
final class TokenFile: Sendable {
  let path: String
  private let token: Mutex<Token>

  init(_ path: String) throws(Fault) {
    self.path = path
    token = Mutex(try Token(file: path))
  }

  /// Reads the token again; if there is none, the last one stays valid.
  func reread() throws(Fault) {
    let new = try Token(file: path, isAgain: true)
    token.withLock { $0 = new }
  }

  func permits(_ header: String?) -> Bool { token.withLock(\.self).permits(header) }

  /// Whether every user of this machine can read the file.
  var isExposed: Bool { token.withLock(\.isExposed) }
}

/// The secret that clients must send.
struct Token: Sendable {
  private let bytes: [UInt8]

  let isExposed: Bool

  private static let longest = 4096

  /// Reads the first line of a file or a pipe. `isAgain`: does not wait for a pipe, which was read
  /// before.
  init(file path: String, isAgain: Bool = false) throws(Fault) {
    let fd = openFile(path, O_RDONLY | (isAgain ? O_NONBLOCK : 0))
    if fd < 0 { throw Fault("open", path) }
    defer { close(fd) }
    let line = try Token.firstLine(fd, path)
    guard (16...Token.longest).contains(line.count),
      line.allSatisfy({ (0x21...0x7e).contains($0) })
    else {
      throw Fault(
        .settings,
        "\(printable(path)): holds no token; write one line of 16 to 4096 printable characters")
    }
    bytes = line
    var status = stat()
    isExposed = fstat(fd, &status) == 0 && status.st_mode & S_IROTH != 0
  }

  private static func firstLine(_ fd: Int32, _ path: String) throws(Fault) -> [UInt8] {
    var found: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: longest)
    while found.count <= longest {
      let count = retryingInterrupts { read(fd, &buffer, buffer.count) }
      if count < 0 { throw Fault("read", path) }
      if count == 0 { break }
      found += buffer[..<count]
      if found.contains(0x0a) { break }
    }
    let line = found.prefix { $0 != 0x0a }
    return Array(line.last == 0x0d ? line.dropLast() : line)
  }

  /// The time it takes does not reveal how much of the token is right.
  func permits(_ header: String?) -> Bool {
    guard let header, header.prefix(7).lowercased() == "bearer " else { return false }
    let given = Array(header.utf8.dropFirst(7))
    var difference = given.count ^ bytes.count
    for (index, byte) in bytes.enumerated() {
      difference |= Int(byte ^ (index < given.count ? given[index] : 0))
    }
    return difference == 0
  }
}

extension Request {
  /// Whether a browser asks if a page may send a request: the request itself counts for the limit.
  var isPreflight: Bool {
    method == "OPTIONS" && header("origin") != nil
      && header("access-control-request-method") != nil
  }
}

/// Decides which web pages may use the gateway through a browser.
struct Origins: Sendable {
  /// The other site whose pages may: `https://example.com`, `*` for all, nil for none.
  let permitted: String?
  /// Whether clients prove with a token that they are not a foreign page.
  let hasToken: Bool

  /// The refusal of a request; nil: permitted.
  func refuses(_ request: Request) -> Response? {
    let host = request.header("host") ?? ""
    // A foreign page can make its own name resolve to this machine, but not an address (DNS
    // rebinding).
    if !hasToken, !isAddress(host) {
      return .error(
        403, "\(host): without a token, Host must be an address or localhost (see --token-file)")
    }
    guard let origin = request.header("origin"), request.method != "GET", request.method != "HEAD",
      !hasToken, origin != "http://\(host)", origin != "https://\(host)", !permits(origin)
    else { return nil }
    return .error(403, "\(origin): pages of another origin may not do this (see --cors)")
  }

  func permits(_ origin: String) -> Bool { permitted == "*" || permitted == origin }

  /// The headers that the browser of a foreign page needs.
  func headers(for request: Request) -> [(name: String, value: String)] {
    guard let permitted else { return [] }
    guard let origin = request.header("origin"), permits(origin) else {
      return [("vary", "Origin")]
    }
    let base = [
      ("access-control-allow-origin", permitted == "*" ? "*" : origin), ("vary", "Origin"),
      ("access-control-expose-headers", "retry-after"),
    ]
    guard request.method == "OPTIONS" else { return base }
    return base + [
      ("access-control-allow-methods", "GET, POST"),
      ("access-control-allow-headers", "authorization, content-type, idempotency-key"),
      ("access-control-max-age", "600"),
    ]
  }

  // Ignores the port.
  private func isAddress(_ host: String) -> Bool {
    var name = host[...]
    if name.hasPrefix("[") { return name.contains("]") }
    if let colon = name.lastIndex(of: ":") { name = name[..<colon] }
    var address = in_addr()
    return name.isEmpty || name.lowercased() == "localhost"
      || name.lowercased().hasSuffix(".localhost")
      || inet_pton(AF_INET, String(name), &address) == 1
  }
}

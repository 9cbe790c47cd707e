internal import Glibc
internal import PipeIO
internal import Synchronization

/// A file with a token, and the token that was in it when it was last read.
final class TokenFile: Sendable {
  let path: String
  private let token: Mutex<Token>

  init(_ path: String) throws(Fault) {
    self.path = path
    token = Mutex(try Token(file: path))
  }

  /// Takes the token that is there now; where there is none, the last one stays.
  func reread() throws(Fault) {
    let new = try Token(file: path, isAgain: true)
    token.withLock { $0 = new }
  }

  func permits(_ header: String?) -> Bool { token.withLock(\.self).permits(header) }

  /// Whether everybody on this machine can read it.
  var isExposed: Bool { token.withLock(\.isExposed) }
}

/// What a client must know.
struct Token: Sendable {
  private let bytes: [UInt8]

  let isExposed: Bool

  private static let longest = 4096

  /// Of a file or a pipe: its first line. `isAgain`: a pipe was read before, and is not waited for.
  init(file path: String, isAgain: Bool = false) throws(Fault) {
    let number = openFile(path, O_RDONLY | (isAgain ? O_NONBLOCK : 0))
    if number < 0 { throw Fault("open", path) }
    defer { close(number) }
    let line = try Token.firstLine(number, path)
    guard (16...Token.longest).contains(line.count),
      line.allSatisfy({ (0x21...0x7e).contains($0) })
    else {
      throw Fault(
        .settings,
        "\(printable(path)): holds no token: one line of 16 or more printable characters")
    }
    bytes = line
    var status = stat()
    isExposed = fstat(number, &status) == 0 && status.st_mode & S_IROTH != 0
  }

  private static func firstLine(_ number: Int32, _ path: String) throws(Fault) -> [UInt8] {
    var found: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: longest)
    while found.count <= longest {
      let count = uninterrupted { read(number, &buffer, buffer.count) }
      if count < 0 { throw Fault("read", path) }
      if count == 0 { break }
      found += buffer[..<count]
      if found.contains(0x0a) { break }
    }
    let line = found.prefix { $0 != 0x0a }
    return Array(line.last == 0x0d ? line.dropLast() : line)
  }

  /// In a time that does not tell how much of it was right.
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

import Glibc
import Synchronization

/// Sockets of 127.0.0.1.
package enum Loopback {
  /// Connects to a port. `client`: the last byte of the own address in 127.0.0.0/24. `buffer`:
  /// bytes that the kernel accepts while nothing is read; nil: the default.
  package static func connect(
    to port: UInt16, from client: UInt32 = 1, buffer: Int32? = nil
  ) throws -> Int32 {
    let number = newSocket()
    if var buffer {
      setsockopt(number, SOL_SOCKET, SO_RCVBUF, &buffer, socklen_t(MemoryLayout<Int32>.size))
    }
    let isBound = client == 1 || call(Glibc.bind, number, 0x7f00_0000 + client, 0) == 0
    guard isBound, call(Glibc.connect, number, 0x7f00_0001, port) == 0 else {
      throw Failure("connect: \(errno)")
    }
    return number
  }

  /// Ports on which no program listens. They stay free while a server starts, or restarts: none is
  /// returned twice, and the kernel gives clients ports from 32768 on.
  package static func freePorts(_ count: Int) throws -> [Int] {
    try (0..<count).map { _ -> Int in
      for _ in candidates {
        let port = next.withLock { next in
          next = next + 1 < candidates.upperBound ? next + 1 : candidates.lowerBound
          return next
        }
        let number = newSocket()
        defer { close(number) }
        if call(Glibc.bind, number, 0x7f00_0001, UInt16(port)) == 0 { return port }
      }
      throw Failure("no free port: \(errno)")
    }
  }

  private static let candidates = 10_000..<32_768
  private static let next = Mutex(Int.random(in: candidates))

  private static func newSocket() -> Int32 {
    socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
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
}

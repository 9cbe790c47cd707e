internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The address on which a server listens.
package enum ListeningAddress: Sendable {
  /// Address and port; port 0 takes a free one.
  case own(String, Int)
  /// A listening socket inherited from the process that started this one.
  case inherited(Int32)

  /// Whether only this machine can connect.
  package var isLoopback: Bool { address?.isLoopback ?? false }

  /// nil: not an address, or not a socket.
  private var address: SocketAddress? {
    switch self {
    case .own(let host, let port): try? SocketAddress(ipAddress: host, port: port)
    case .inherited(let fd): SocketAddress(boundTo: fd)
    }
  }

  package var text: String { address?.text ?? "" }

  /// Whether it is an address or a socket on which a server can listen.
  package var isValid: Bool { address != nil }

  func bind(_ bootstrap: ServerBootstrap) throws -> any Channel {
    do {
      return switch self {
      case .own(let host, let port):
        try bootstrap.bind(to: try SocketAddress(ipAddress: host, port: port)).wait()
      case .inherited(let fd): try bootstrap.withBoundSocket(fd).wait()
      }
    } catch { throw ListenFault(code: (error as? IOError)?.errnoCode ?? 0) }
  }
}

/// Listening failed.
package struct ListenFault: Error {
  /// `errno`, or 0 where no system call failed.
  package let code: Int32
}

extension SocketAddress {
  /// Whether only this machine can connect.
  var isLoopback: Bool {
    guard let host = ipAddress else { return true }
    return host == "::1" || host.hasPrefix("127.") || host.hasPrefix("::ffff:127.")
  }

  /// `127.0.0.1:8000`, `[::1]:8000`, or the path of a Unix socket.
  var text: String {
    guard let port, let host = ipAddress else { return "unix:\(pathname ?? "")" }
    return (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
  }

  /// The address to which a socket is bound; nil: not a stream socket of a known family.
  init?(boundTo fd: Int32) {
    var type: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0,
      type == Int32(SOCK_STREAM.rawValue)
    else { return nil }
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let found: SocketAddress? = withUnsafeMutableBytes(of: &storage) { bytes in
      let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
      guard getsockname(fd, address, &size) == 0 else { return nil }
      switch Int32(address.pointee.sa_family) {
      case AF_INET: return SocketAddress(bytes.load(as: sockaddr_in.self))
      case AF_INET6: return SocketAddress(bytes.load(as: sockaddr_in6.self))
      case AF_UNIX: return SocketAddress(bytes.load(as: sockaddr_un.self))
      default: return nil
      }
    }
    guard let found else { return nil }
    self = found
  }
}

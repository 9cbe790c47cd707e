internal import Glibc
internal import NIOCore

extension SocketAddress {
  /// Whether only this machine can come there.
  var isLoopback: Bool {
    guard let host = ipAddress else { return true }
    return host == "::1" || host.hasPrefix("127.") || host.hasPrefix("::ffff:127.")
  }

  /// `127.0.0.1:8000`, `[::1]:8000`, or the path of a Unix socket.
  var text: String {
    guard let port, let host = ipAddress else { return "unix:\(pathname ?? "")" }
    return (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
  }

  /// What a socket is bound to; nil: it is none that takes connections.
  init?(boundTo number: Int32) {
    var type: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &length) == 0,
      type == Int32(SOCK_STREAM.rawValue)
    else { return nil }
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let found: SocketAddress? = withUnsafeMutableBytes(of: &storage) { bytes in
      let address = bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
      guard getsockname(number, address, &size) == 0 else { return nil }
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

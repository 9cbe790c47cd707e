internal import NIOCore
internal import NIOPosix

/// Where a server listens.
package enum ListeningAddress: Sendable {
  /// Address and port; 0 takes a free one.
  case own(String, Int)
  /// A socket that listens already, from whoever started this process.
  case inherited(Int32)

  /// Whether only this machine can come there.
  package var isLoopback: Bool { address?.isLoopback ?? false }

  /// nil: not an address, or not a socket.
  private var address: SocketAddress? {
    switch self {
    case .own(let host, let port): try? SocketAddress(ipAddress: host, port: port)
    case .inherited(let number): SocketAddress(boundTo: number)
    }
  }

  package var text: String { address?.text ?? "" }

  /// Whether it can be listened at.
  package var isValid: Bool { address != nil }

  func bind(_ bootstrap: ServerBootstrap) throws -> any Channel {
    do {
      return switch self {
      case .own(let host, let port):
        try bootstrap.bind(to: try SocketAddress(ipAddress: host, port: port)).wait()
      case .inherited(let number): try bootstrap.withBoundSocket(number).wait()
      }
    } catch { throw ListenFault(code: (error as? IOError)?.errnoCode ?? 0) }
  }
}

/// Nothing can be listened at there.
package struct ListenFault: Error {
  /// `errno`, or 0 where no system call failed.
  package let code: Int32
}

import Glibc
import Testing

@testable import PipeGateway

/// An open socket, closed with the test.
private final class Socket {
  let number: Int32

  init(_ family: Int32, _ type: __socket_type) throws {
    number = socket(family, Int32(type.rawValue), 0)
    try #require(number >= 0)
  }

  func bind<Address>(_ address: Address) throws {
    let code = withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.bind(number, $0, socklen_t(MemoryLayout<Address>.size))
      }
    }
    try #require(code == 0)
  }

  deinit { close(number) }
}

@Suite("Listening addresses")
struct AddressTests {
  @Test(
    "an address has the text that a user would type",
    arguments: [
      ("127.0.0.1", 8000, "127.0.0.1:8000"), ("0.0.0.0", 0, "0.0.0.0:0"), ("::1", 80, "[::1]:80"),
      ("::", 8000, "[::]:8000"),
    ])
  func texts(_ host: String, _ port: Int, _ text: String) {
    let address = ListeningAddress.own(host, port)
    #expect(address.isValid)
    #expect(address.text == text)
  }

  @Test(
    "only this machine can connect to a loopback address",
    arguments: ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
  func loopback(_ host: String) {
    #expect(ListeningAddress.own(host, 80).isLoopback)
  }

  @Test(
    "other machines can connect to any other address",
    arguments: ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "128.0.0.1", "::ffff:192.0.2.1"])
  func reachable(_ host: String) {
    #expect(!ListeningAddress.own(host, 80).isLoopback)
  }

  @Test("a name is not an address", arguments: ["localhost", "", "127.0.0", "[::1]"])
  func names(_ host: String) {
    let address = ListeningAddress.own(host, 80)
    #expect(!address.isValid)
    #expect(!address.isLoopback)
    #expect(address.text.isEmpty)
  }

  @Test("an inherited TCP socket has the address to which it is bound")
  func inherited() throws {
    let socket = try Socket(AF_INET, SOCK_STREAM)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    try socket.bind(address)
    let found = ListeningAddress.inherited(socket.number)
    #expect(found.isValid)
    #expect(found.isLoopback)
    #expect(found.text.hasPrefix("127.0.0.1:"))
    #expect(found.text != "127.0.0.1:0")
  }

  @Test("an inherited Unix socket has its path, and only this machine can connect to it")
  func unix() throws {
    let path = "/tmp/pipe-gateway.\(getpid()).\(UInt32.random(in: 0 ... .max))"
    defer { unlink(path) }
    let socket = try Socket(AF_UNIX, SOCK_STREAM)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    try socket.bind(address)
    let found = ListeningAddress.inherited(socket.number)
    #expect(found.isLoopback)
    #expect(found.text == "unix:" + path)
  }

  @Test("a file or a datagram socket is not an address")
  func others() throws {
    let file = open("/dev/null", O_RDONLY)
    defer { close(file) }
    let socket = try Socket(AF_INET, SOCK_DGRAM)
    for number in [file, socket.number, -1] {
      #expect(!ListeningAddress.inherited(number).isValid, "\(number)")
    }
  }
}

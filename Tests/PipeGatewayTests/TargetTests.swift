import NIOHTTP1
import Testing

@testable import PipeGateway

@Suite("Request targets")
struct TargetTests {
  @Test(
    "a target keeps its path as received and drops its query",
    arguments: [
      ("/", "/"), ("/a/b", "/a/b"), ("/a?b=/c", "/a"), ("/?", "/"), ("/a?b?c", "/a"),
      ("//a/", "//a/"), ("/%41", "/%41"), ("*", "*"),
    ])
  func paths(_ text: String, _ path: String) throws {
    let target = try #require(Target(text))
    #expect(target.path == path)
    #expect(target.host == nil)
  }

  @Test(
    "a URL as target has a host and a path",
    arguments: [
      ("http://a", "a", "/"), ("http://a/", "a", "/"), ("http://a:80/b?c", "a:80", "/b"),
      ("HTTPS://A/b", "A", "/b"), ("http://a?b", "a", "/"), ("http://[::1]:8/b", "[::1]:8", "/b"),
    ])
  func urls(_ text: String, _ host: String, _ path: String) throws {
    let target = try #require(Target(text))
    #expect(target.host == host)
    #expect(target.path == path)
  }

  @Test(
    "text that is not a path, a URL or an asterisk is not a target",
    arguments: ["", "a", "?a", "**", "ftp://a/", "http:/a", "a:80"])
  func invalid(_ text: String) {
    #expect(Target(text) == nil)
  }

  @Test(
    "a host is a name or an address, with or without a port",
    arguments: [
      "localhost", "a-b.c_d~", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:65535", "a:",
      "[::ffff:1.2.3.4]:1",
    ])
  func hosts(_ text: String) {
    #expect(isHost(text))
  }

  @Test(
    "other text is not a host",
    arguments: [
      "", ":80", "a b", "a/b", "a:b", "a:123456", "[]", "[::1", "[::g]", "[::1]a", "ä", "a@b",
    ])
  func notHosts(_ text: String) {
    #expect(!isHost(text))
  }

  @Test(
    "a request's path has no slash at its end",
    arguments: [("/a/", "/a"), ("/", "/"), ("/a//", "/a//"), ("/a/?b", "/a"), ("a/", "a")])
  func slashes(_ target: String, _ path: String) {
    #expect(request(.GET, target).path == path)
  }
}

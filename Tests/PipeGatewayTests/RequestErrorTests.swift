import NIOHTTP1
import Testing

@testable import PipeGateway

@Suite("Request errors")
struct RequestErrorTests {
  @Test("a well-formed head is not refused")
  func accepted() {
    let heads = [
      head(), head(.POST, "/a", [("content-length", "100")]),
      head(.POST, "/a", [("transfer-encoding", "Chunked"), ("expect", "100-Continue")]),
      head(.GET, "http://LOCALHOST/a"), head(.OPTIONS, "*"),
      head(.GET, "/", [("accept", "a"), ("accept", "b")]),
      HTTPRequestHead(version: .http1_0, method: .GET, uri: "/"),
    ]
    for head in heads { #expect(RequestError(head, limits) == nil, "\(head)") }
  }

  @Test(
    "a head that a proxy could read differently is refused",
    arguments: [
      (head(.GET, "/", [("host", "a")]), 400, "header host appears more than once"),
      (
        head(.POST, "/", [("Content-Length", "1"), ("content-length", "1")]), 400,
        "header content-length appears more than once"
      ),
      (
        head(.POST, "/", [("transfer-encoding", "chunked")], version: .http1_0), 400,
        "transfer-encoding needs HTTP/1.1"
      ),
      (
        head(.POST, "/", [("transfer-encoding", "gzip, chunked")]), 501,
        "unsupported transfer-encoding (only chunked)"
      ),
    ])
  func framing(_ head: HTTPRequestHead, _ status: Int, _ detail: String) throws {
    let error = try #require(RequestError(head, limits))
    #expect(error.status == status)
    #expect(error.detail == detail)
  }

  @Test("a head without a valid host or target is refused")
  func targets() {
    let bare = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
    var odd = bare
    odd.headers.add(name: "host", value: "a b")
    #expect(RequestError(bare, limits)?.detail == "header Host is missing")
    #expect(RequestError(odd, limits)?.detail == "Host is not a name or address")
    #expect(RequestError(head(.GET, "a"), limits)?.detail == "the request target is not a path")
    #expect(
      RequestError(head(.GET, "http://a/"), limits)?.detail
        == "Host does not match the request target")
    #expect(RequestError(head(.CONNECT, "a:80"), limits)?.status == 501)
  }

  @Test("an unknown expectation is refused")
  func expectations() {
    let error = RequestError(head(.POST, "/", [("expect", "a")]), limits)
    #expect(error?.status == 417)
    #expect(error?.detail == "unsupported Expect (only 100-continue)")
  }

  @Test("a declared length over the limit is refused", arguments: ["101", "99999999999999999999"])
  func lengths(_ length: String) {
    let error = RequestError(head(.POST, "/", [("content-length", length)]), limits)
    #expect(error?.status == 413)
    #expect(error?.detail == "the body is longer than 100 bytes")
  }

  @Test(
    "malformed HTTP gets a status and a text",
    arguments: [
      (HTTPParserError.headerOverflow, 431, "the request line or the headers are too long"),
      (.invalidVersion, 505, "HTTP/1.1 only"), (.paused, 505, "HTTP/1.1 only"),
      (.invalidEOFState, 400, "the request is incomplete"),
      (.unknown, 400, "malformed HTTP request"),
      (.strictModeAssertion, 400, "malformed HTTP request"),
    ])
  func malformed(_ found: HTTPParserError, _ status: Int, _ detail: String) {
    let error = RequestError(found)
    #expect(error.status == status)
    #expect(error.detail == detail)
  }

  @Test("any other parser error is named in the text")
  func named() {
    let error = RequestError(.invalidMethod)
    #expect(error.status == 400)
    #expect(error.detail.hasPrefix("malformed HTTP request: "))
    #expect(error.detail.count > "malformed HTTP request: ".count)
  }

  @Test("a refusal for want of memory says when to try again")
  func crowded() {
    let response = RequestError.crowded.response
    #expect(response.status == 503)
    #expect(response.headers.contains { $0 == ("retry-after", "1") })
    #expect(
      response.text
        == #"{"detail":"too many request bodies in flight; try again later","status_code":503}"#)
  }

  @Test("a response keeps its own header where another has the same name")
  func headers() {
    let response = Response(200, "text/html", headers: [("a", "1")]).with([("a", "2"), ("b", "3")])
    #expect(response.headers.map(\.name) == ["content-type", "a", "b"])
    #expect(response.headers.map(\.value) == ["text/html", "1", "3"])
  }
}

import Foundation
import Glibc
import Testing

@Suite("serve")
struct ServeTests {
  @Test("an entry that was answered 202 is in the queue, and can be asked about")
  func storesAndTells() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let reply = try gateway.post("/ingest", #"{"source":"a","data":{"x":1.50}}"#)
    #expect(reply.status == 202, "\(reply)")
    let status = try gateway.get("/status/\(try reply.receipt())")
    #expect(status.status == 200 && status.body.contains(#""status":"yet_to_start""#), "\(status)")
    try scratch.pipe("consume").expect(#"{"source":"a","data":{"x":1.50}}"# + "\n")
    gateway.stop().expect("", errors: nil)
  }

  @Test("requests that were sent without waiting are answered in their order")
  func keepsOrder() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let wire = try Wire(gateway.port)
    let posts = (1...300).map { Gateway.request("POST", "/log", body: "\($0)") }
    wire.send(posts.joined() + Gateway.request("GET", "/nothing"))
    let ids = try posts.map { _ in try wire.reply().receipt() }
    #expect(try wire.reply().status == 404)
    let listed = try scratch.pipe("list").expect().objects()
    #expect(listed.map { $0["id"] as? String } == ids)
    #expect(listed.map { $0["data"] as? Int } == Array(1...300))
  }
}

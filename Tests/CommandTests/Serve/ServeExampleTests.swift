import Foundation
import TestSupport
import Testing

@Suite("examples/serve")
struct ServeExampleTests {
  static let directory = Repository.path + "/examples/serve"

  @Test("the tour shows requests with their responses and ends its gateway", .needs("curl"))
  func tour() throws {
    let scratch = try Scratch()
    let run = try scratch.sh(ServeExampleTests.directory + "/curl.sh", ["TMPDIR": scratch.path])
      .expect()
    for part in [
      #""ids":[1,2,3],"status":"completed"},{"#, #""ids":[4,5],"status":"yet_to_start"}]"#,
      #"{"file":"body","line":2,"byte":6,"error":"unexpected end","input":"{\"n\":"}"#,
      #"{"detail":"IDs list cannot be empty","status_code":400}"#,
      "{\"status\":\"healthy\"}\n", "\ningested_rows_total 6\n", "\npipe serve: stopping\n",
    ] {
      #expect(run.output.contains(part), "\(part)\n\(run)")
    }
    // A repeated request gets the same response.
    let receipts = run.output.matches(of: #/(?m)^{"ingestion_id":"(\w{26})"}$/#).map { $0.1 }
    #expect(receipts.count == 8 && Set(receipts).count == 6, run.story)
    #expect(try scratch.names(in: ".").isEmpty, "something is left in TMPDIR")
  }

  @Test("the tour reports a missing gateway", .needs("curl"))
  func noGateway() throws {
    let scratch = try Scratch()
    let tour = ServeExampleTests.directory + "/curl.sh"
    try scratch.sh(tour, ["PIPE": "false"]).expect(errors: "curl.sh: no gateway\n", status: 1)
    try scratch.sh(tour, ["PIPE": "nothing"])
      .expect(errors: "curl.sh: nothing cannot be executed\n", status: 1)
  }

  @Test("the quickstart posts to a gateway as well and ends it", .needs("curl"))
  func quickstart() throws {
    let scratch = try Scratch()
    let run = try scratch.run(
      ["sh", Repository.path + "/examples/quickstart.sh"], ["PIPE": Binary.path])
    run.expect(errors: nil)
    #expect(run.output.contains(" says completed\n   it has ended\n"), run.story)
  }

  @Test("the shell scripts pass shellcheck", .needs("shellcheck"))
  func clean() throws {
    try Scratch().sh("shellcheck \(ServeExampleTests.directory)/*.sh").expect("")
  }
}

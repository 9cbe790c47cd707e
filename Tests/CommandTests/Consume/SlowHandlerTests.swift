import Foundation
import TestSupport
import Testing

@Suite("examples/slow-api.sh")
struct SlowHandlerTests {
  private static let path = Repository.path + "/examples/slow-api.sh"

  @Test("the handler repeats itself with the same SEED, and may differ at the next attempt")
  func seed() throws {
    let first = try (1...2).map { _ in try run(4, attempt: 1) }
    #expect(first == Array(repeating: "slow-api: 4: service unavailable\nstatus 1\n", count: 2))
    let second = try run(4, attempt: 2)
    #expect(second.wholeMatch(of: #/4 took [123]\d{3} ms\nstatus 0\n/#) != nil, "\(second)")
  }

  private func run(_ id: Int, attempt: Int) throws -> String {
    try Scratch().sh(
      #"\#(SlowHandlerTests.path) 2>&1; echo "status $?""#, input: "\(id)\n",
      ["SEED": "1", "PIPE_ATTEMPT": "\(attempt)"]
    ).output
  }

  @Test("the handler works as its header says: failed items come again, invalid ids are buried")
  func works() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--backoff", "1h..2h").expect("")
    try scratch.pipe("enqueue", "--raw", "--quiet", input: "{\"ids\":[1,4]}\n\"x\"\n").expect("")
    let run = try scratch.sh("SEED=1 pipe consume -j 4 -- \(SlowHandlerTests.path)")
    #expect(run.ending == .exited(1), run.story)
    #expect(run.output.hasPrefix("1 took "), run.story)
    try scratch.sh("pipe list | cut -d , -f 4,6").expect("\"state\":\"later\",\"ids\":[4]}\n")
    let dead = try scratch.pipe("dead").expect()
    #expect(dead.output.contains(#""stderr":"slow-api: \"x\": not an id\n""#), dead.story)
  }

  @Test("the shell scripts pass shellcheck", .needs("shellcheck"))
  func clean() throws {
    try Scratch().sh("shellcheck \(Repository.path)/examples/*.sh").expect("")
  }
}

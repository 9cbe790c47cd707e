import Foundation
import Glibc
import TestSupport
import Testing

@Suite("stats --watch")
struct StatsWatchTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init")
  }

  private func ready(_ line: String?) -> Int? {
    line.map { Figures(root: $0.object).items("ready")[1] }
  }

  @Test(
    "--watch prints new figures, without escapes in a pipe, and dies of SIGPIPE with its reader")
  func again() throws {
    let start = uptime()
    let child = try scratch.start("stats", "--json", "--watch", "100ms")
    #expect(ready(child.line()) == 0)
    try scratch.store("1", "2")
    var last: Int?
    var lines = 0
    while last != 2, let line = child.line() {
      #expect(line.hasPrefix("{") && !line.contains("\u{1b}"))
      last = ready(line)
      lines += 1
    }
    #expect(last == 2 && uptime() - start >= 0.1 * Double(lines))
    child.closeOutput()
    child.finish().expect(ending: .killed(SIGPIPE))
  }

  @Test(
    "--watch exits with 66 when the queue is removed", arguments: ["--json", "--plot", "--by tag"])
  func removed(form: String) throws {
    let child = try scratch.start([
      "sh", "-c", "exec pipe stats \(form) --watch 100ms --output out",
    ])
    try wait(until: { try scratch.names(in: ".").contains("out") }, "the first output")
    try scratch.sh("rm -r queue").expect()
    child.finish().expect(
      "", errors: "pipe stats: \(scratch.path)/queue: was removed while in use\n", status: 66)
  }

  @Test("--watch reports a fault once, not each time")
  func once() throws {
    try scratch.sh("touch queue/stats").expect()
    let child = try scratch.start("stats", "--json", "--watch", "100ms")
    for _ in 0..<3 { #expect(child.line() != nil) }
    child.closeOutput()
    let run = child.finish().expect(errors: nil, ending: .killed(SIGPIPE))
    #expect(run.errors.split(separator: "\n").count == 1, run.story)
  }
}

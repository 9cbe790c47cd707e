import Foundation
import Glibc
import TestSupport

/// A queue and the files around it.
struct TestQueue {
  let path: String
  /// Where the output of consumers goes: beside the queue or elsewhere.
  let scratch: Scratch

  init(_ path: String, _ scratch: Scratch) {
    self.path = path
    self.scratch = scratch
  }

  @discardableResult
  func enqueue(_ entries: [Entry], raw: Bool = true) throws -> Run {
    try enqueueing(raw: raw).given(entries.text).run()
  }

  func enqueueing(raw: Bool = true) -> Command {
    Command([Binary.path, "enqueue"] + (raw ? ["--raw"] : []) + ["-q", path])
  }

  /// A consumer that writes to stdout.
  func consuming(_ options: String...) -> Command {
    Command([Binary.path, "consume", "-q", path] + options)
  }

  /// A consumer with a command that appends what it gets to `file`.
  func appending(to file: String, _ options: String...) -> Command {
    let handler = ["--", "sh", "-c", #"cat >>"$DELIVERED""#]
    return Command([Binary.path, "consume", "-q", path] + options + handler).with("DELIVERED", file)
  }

  /// Everything that is ready, taken by a new consumer.
  func drain() throws -> (result: Run, delivered: [String]) {
    let file = scratch.path("drained")
    unlink(file)
    let result = try consuming().writing(to: file).run()
    return (result, lines(of: file))
  }

  func lines(of file: String) -> [String] {
    completeLines([UInt8]((try? Data(contentsOf: URL(fileURLWithPath: file))) ?? Data()))
  }

  func names(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(directory)")
  }

  /// Names of claims in now/.
  func claims() throws -> [String] { try names(in: "now").filter { $0.contains(".claim.") } }

  /// Items that claims cover.
  func heldItems() throws -> Int { try claims().reduce(0) { $0 + TestQueue.count($1) } }

  // HIGH.<from>.<segment>.<offset>-<to>.<segment>.<offset>.claim.<batch>.<attempt>.<owner>
  static func count(_ name: String) -> Int {
    let ends = name.split(separator: "-", maxSplits: 1)
    guard ends.count == 2, let from = Int(ends[0].split(separator: ".")[1]),
      let to = Int(ends[1].split(separator: ".")[0])
    else { return 0 }
    return to - from
  }

  /// The segment of a lane in a young queue.
  func segment(_ lane: String = "MEDIUM") -> String { "\(path)/segments/\(lane)/000/000001" }

  func copy(to other: String) throws -> TestQueue {
    try? FileManager.default.removeItem(atPath: other)
    try Command("cp", "-r", path, other).mustRun()
    return TestQueue(other, scratch)
  }
}

import Foundation
import TestSupport
import Testing

/// One system call of a dry run.
struct Call: CustomStringConvertible {
  let name: String
  /// Counts from 1 among the calls of this name.
  let ordinal: Int
  let text: String

  var description: String { "\(name) \(ordinal): \(text)" }

  /// Whether a disk can tell that the call was made, or the call orders those of other processes.
  var changesSomething: Bool {
    switch name {
    case "openat", "openat2": text.contains("O_CREAT")
    case "mkdir", "mkdirat", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "renameat2",
      "unlinkat", "flock", "exit_group":
      true
    default: false
    }
  }
}

extension Command {
  /// The same under strace. Its children are not traced: their calls would be counted as well.
  func traced(into file: String = "/dev/null", _ options: String...) -> Command {
    var copy = self
    copy.arguments = ["strace", "-s", "256", "-o", file] + options + ["--"] + arguments
    return copy
  }

  /// The same, killed on entering `call`.
  func killed(at call: Call) -> Command {
    traced(
      "-e", "trace=\(call.name)", "-e", "inject=\(call.name):signal=KILL:when=\(call.ordinal)")
  }

  /// The call is skipped and returns `outcome` (`error=EIO`, `retval=3`); `when` as in strace(1).
  func failing(_ name: String, _ outcome: String, when: String, trace: String = "/dev/null")
    -> Command
  {
    traced(into: trace, "-e", "trace=\(name)", "-e", "inject=\(name):\(outcome):when=\(when)")
  }
}

/// Runs `body` with a traced command, and returns its calls from the first one that names the
/// queue: earlier calls are those of the loader and the runtime, and touch nothing.
func recorded(_ command: Command, _ body: (Command) throws -> Void) throws -> [Call] {
  let scratch = try Scratch(.memory)
  let file = scratch.path("trace")
  try body(command.traced(into: file))
  let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: file)), as: UTF8.self)
  var counts: [String: Int] = [:]
  let calls = text.split(separator: "\n").compactMap { line -> Call? in
    guard let end = line.firstIndex(of: "("), !line.hasPrefix("+++"), !line.hasPrefix("---") else {
      return nil
    }
    let name = String(line[..<end])
    counts[name, default: 0] += 1
    return Call(name: name, ordinal: counts[name]!, text: String(line))
  }
  let queue = command.arguments.firstIndex(of: "-q").map { command.arguments[$0 + 1] } ?? ""
  return Array(calls.drop { $0.name == "execve" || !$0.text.contains("\"\(queue)\"") })
}

/// The calls that every run makes, judging by six: calls interleave with the ends of children and with
/// reads a little differently each time.
func steadily(_ command: Command, _ body: (Command) throws -> Void) throws -> [Call] {
  let runs = try (0..<6).map { _ in try recorded(command, body) }
  let names = runs.map { Set($0.map { "\($0.name) \($0.ordinal)" }) }
  let common = names.dropFirst().reduce(names[0]) { $0.intersection($1) }
  return runs[0].filter { common.contains("\($0.name) \($0.ordinal)") }.sampled
}

/// Runs `body`, which prepares and runs a command, until the command is killed at `call`, or
/// records that it cannot be.
func reaching(
  _ call: Call, _ command: Command, _ body: (Command) throws -> Run
) throws -> Run? {
  var result = try body(command.killed(at: call))
  for _ in 0..<10 where result.ending != .killed(9) { result = try body(command.killed(at: call)) }
  if result.ending == .killed(9) { return result }
  Issue.record("not killed at \(call)\n\(result)")
  return nil
}

/// The N of CRASH_SAMPLE=N; 1 without it: all calls are visited.
let sampleStep = max(
  1, ProcessInfo.processInfo.environment["CRASH_SAMPLE"].flatMap { Int($0) } ?? 1)

extension [Call] {
  /// Every Nth call, beginning at another one each day.
  var sampled: [Call] {
    let step = sampleStep
    guard step > 1 else { return self }
    let first = Int(Date().timeIntervalSince1970 / 86_400) % step
    return stride(from: Swift.min(first, Swift.max(0, count - 1)), to: count, by: step).map {
      self[$0]
    }
  }

  /// Calls that a queue or a child can notice; of many alike except for names, the first two and
  /// the last.
  var thinned: [Call] {
    var like: [String: [Int]] = [:]
    for (index, call) in enumerated() where call.changesSomething || call.concernsChild {
      let shape = String(call.text.prefix { $0 != "=" }.filter { $0.isLowercase })
      like[shape, default: []].append(index)
    }
    let kept = like.values.flatMap { all -> Set<Int> in
      let last = all.count - 1
      return Set([0, 1, last].filter { (0...last).contains($0) }.map { all[$0] })
    }
    return kept.sorted().map { self[$0] }
  }
}

extension Call {
  var concernsChild: Bool {
    ["clone", "clone3", "vfork"].contains(name)
      || ["openat", "openat2"].contains(name) && text.contains("O_TRUNC")
  }
}

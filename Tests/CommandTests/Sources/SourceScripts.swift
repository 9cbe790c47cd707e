import Foundation
import Glibc
import TestSupport
import Testing

extension Scratch {
  /// A script of examples/, by its name there.
  static func example(_ name: String) -> String { "\(Repository.path)/examples/\(name)" }

  /// A `pipe` that runs this line of bash after each such command; `$PPID` is its caller.
  func afterEach(_ verb: String, do line: String) throws -> [String: String] {
    try around(
      "'\(Binary.path)' \"$@\"; status=$?; if [ $1 = \(verb) ]; then \(line); fi; exit $status")
  }

  /// A `pipe` that waits for no room in a full queue instead of a minute.
  func impatient() throws -> [String: String] {
    try around("exec '\(Binary.path)' \"${@/#1m/0s}\"")
  }

  private func around(_ line: String) throws -> [String: String] {
    try sh(
      "mkdir -p around; cat > around/pipe; chmod +x around/pipe", input: "#!/bin/bash\n\(line)\n"
    )
    .expect()
    return ["PATH": path("around") + ":" + (environment["PATH"] ?? "")]
  }

  /// Consumes the queue and returns its items in order.
  func drained() throws -> [String] { try pipe("consume").expect().lines }

  /// Expects all whole numbers from 1 in the queue; throws if one is missing or comes twice.
  func expectEach(to count: Int) throws {
    let numbers = try drained().map { Int($0) ?? -1 }
    guard numbers.sorted() != Array(1...count) else { return }
    let missing = Set(1...count).subtracting(numbers).count
    throw Failure("\(numbers.count) came, \(missing) are missing of \(count)")
  }
}

import Foundation
import Glibc
import Testing

extension Scratch {
  /// A script of examples/, by its name there.
  static func example(_ name: String) -> String { "\(root)/examples/\(name)" }

  /// A `pipe` that does this, in bash, after it has run; `$PPID` is who called it.
  func afterEach(_ verb: String, do line: String) throws -> [String: String] {
    try around(
      "'\(Scratch.binary)' \"$@\"; status=$?; if [ $1 = \(verb) ]; then \(line); fi; exit $status")
  }

  /// A `pipe` that waits for no room in a full queue, where others wait for a minute.
  func impatient() throws -> [String: String] {
    try around("exec '\(Scratch.binary)' \"${@/#1m/0s}\"")
  }

  private func around(_ line: String) throws -> [String: String] {
    try sh(
      "mkdir -p around; cat > around/pipe; chmod +x around/pipe", input: "#!/bin/bash\n\(line)\n"
    )
    .expect()
    return ["PATH": path("around") + ":" + (environment["PATH"] ?? "")]
  }

  /// What is in the queue, taken out of it: as it comes, and no item that is not there.
  func drained() throws -> [String] { try pipe("consume").expect().lines }

  /// All whole numbers from 1 in the queue, each once; what is missing or doubled is a failure.
  func expectEach(to count: Int) throws {
    let numbers = try drained().map { Int($0) ?? -1 }
    guard numbers.sorted() != Array(1...count) else { return }
    let missing = Set(1...count).subtracting(numbers).count
    throw Failure("\(numbers.count) came, \(missing) are missing of \(count)")
  }
}

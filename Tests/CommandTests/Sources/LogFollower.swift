import Foundation
import Glibc
import TestSupport
import Testing

/// Runs examples/sources/files on app.log.
struct LogFollower {
  let scratch: Scratch
  let script = Scratch.example("sources/files")

  init(_ scratch: Scratch) { self.scratch = scratch }

  var command: [String] { [script, "--state", "state", "app.log"] }

  func start() throws -> Child {
    let child = try scratch.start(command)
    try wait(until: { FileManager.default.fileExists(atPath: scratch.path("state")) })
    return child
  }

  func once() throws -> Run { try scratch.run(command + ["--once"]) }

  /// `errors`: nil if they are not compared.
  func stop(_ source: Child, errors: String? = "") {
    source.signal(SIGTERM)
    source.finish().expect("", errors: errors, ending: .killed(SIGTERM))
  }

  /// Its position in bytes.
  func position() throws -> Int {
    let line = "cat state/*app.log 2> /dev/null | grep -o '\"offset\": [0-9]*' | cut -d ' ' -f 2"
    return Int(try scratch.sh(line).lines.first ?? "") ?? 0
  }

  /// Identity of the file that it reads: another for each file.
  func identity() throws -> String {
    try scratch.sh("cat state/*app.log 2> /dev/null | grep -o '\"id\": \"[0-9a-f]*'").output
  }
}

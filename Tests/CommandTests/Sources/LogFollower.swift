import Foundation
import Glibc
import Testing

/// examples/sources/files, with app.log.
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

  /// `errors`: nil where they are not asked for.
  func stop(_ source: Child, errors: String? = "") {
    source.signal(SIGTERM)
    source.finish().expect("", errors: errors, ending: .killed(SIGTERM))
  }

  /// How far it has come, in bytes.
  func position() throws -> Int {
    let line = "cat state/*app.log 2> /dev/null | grep -o '\"offset\": [0-9]*' | cut -d ' ' -f 2"
    return Int(try scratch.sh(line).lines.first ?? "") ?? 0
  }

  /// Of the file where it reads: another for each.
  func identity() throws -> String {
    try scratch.sh("cat state/*app.log 2> /dev/null | grep -o '\"id\": \"[0-9a-f]*'").output
  }
}

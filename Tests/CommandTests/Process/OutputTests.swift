import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Filters that cannot print")
struct OutputTests {
  private let scratch: Scratch
  private let id: String

  init() throws {
    scratch = try Scratch()
    id = try scratch.store("1")[0]
  }

  static let filters = ["ingest lines", "list", "status $ID"]

  private func run(_ line: String) throws -> Run {
    try scratch.sh("echo 7 > lines; \(line)", ["ID": id])
  }

  @Test("a filter reports a full disk on stdout and exits with 75", arguments: filters)
  func fullDisk(filter: String) throws {
    let name = filter.split(separator: " ")[0]
    try run("pipe \(filter) > /dev/full").expect(
      errors: "pipe \(name): stdout: cannot write: No space left on device\n", status: 75)
  }

  @Test("a filter reports a closed stdout and exits with 74", arguments: filters)
  func closed(filter: String) throws {
    let name = filter.split(separator: " ")[0]
    try run("pipe \(filter) >&-").expect(
      errors: "pipe \(name): stdout: cannot write: Bad file descriptor\n", status: 74)
  }

  @Test("a filter whose reader is gone dies of SIGPIPE", arguments: filters)
  func readerGone(filter: String) throws {
    // The reader is gone when the gate opens, and nothing is printed before that.
    let line = "{ read go < gate; exec pipe \(filter); } | { exec <&-; echo > gate; }"
    try run("mkfifo gate; \(line); echo ${PIPESTATUS[0]}").expect("141\n")
  }
}

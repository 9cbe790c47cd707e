import Foundation
import Glibc
import TestSupport
import Testing

@Suite("System limits", .needsStrace)
struct LimitTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private func refusing(_ calls: String, _ error: String, _ more: String = "") -> [String] {
    let inject = "inject=\(calls):error=\(error)\(more)"
    return ["strace", "-f", "-o", "/dev/null", "-e", "trace=\(calls)", "-e", inject]
  }

  // Threads.

  @Test(
    "the gateway exits with 75 when the system refuses it a thread, whichever it is",
    arguments: 1...8)
  func threads(number: Int) throws {
    let prefix = refusing("clone3", "EAGAIN", ":when=\(number)+")
    let run = try scratch.run(prefix + ["timeout", "600", Binary.path, "serve", "--port", "0"])
    run.expect("", errors: nil, status: 75)
    #expect(
      run.errors.hasPrefix("pipe serve: thread: cannot start: Resource temporarily unavailable ("),
      run.story)
  }

  @Test(
    "the gateway exits with 75 when it may not open enough files, whatever the limit",
    arguments: 4...28)
  func files(count: Int) throws {
    let program = ["prlimit", "--nofile=\(count)", Binary.path, "serve", "--port", "0"]
    let child = try scratch.start(program)
    let line = child.errorLine() ?? "nothing"
    child.signal(SIGTERM)
    let run = child.finish()
    let isListening = line.contains("listening on")
    run.expect("", errors: nil, status: isListening ? 0 : 75)
    #expect(isListening || line.contains("cannot open: Too many open files"), run.story)
  }

  @Test("consume gives the item back and exits with 75 when it cannot start a process")
  func processes() throws {
    try scratch.store("1")
    let prefix = refusing("clone3,clone,vfork", "EAGAIN")
    let run = try scratch.run(prefix + [Binary.path, "consume", "--", "cat"])
    run.expect("", errors: nil, status: 75)
    try scratch.sh("pipe consume -- sh -c 'echo $PIPE_ATTEMPT'").expect("1\n")
  }

  // Watches.

  private static let limits = [
    ("inotify_init1", "EMFILE", "fs.inotify.max_user_instances"),
    ("inotify_add_watch", "ENOSPC", "fs.inotify.max_user_watches"),
  ]

  @Test("batch -n and ack work without inotify, and one line names the limit", arguments: limits)
  func batch(limit: (call: String, error: String, name: String)) throws {
    try scratch.store("1", "2")
    let prefix = refusing(limit.call, limit.error).joined(separator: " ")
    let run = try scratch.sh("\(prefix) pipe batch -n 1 | tee out | pipe ack && wc -l < out")
    run.expect("1\n", errors: nil)
    #expect(run.errors.contains(limit.name), run.story)
    #expect(run.errors.split(separator: "\n").count == 1, run.story)
    try scratch.pipe("consume").expect("")
  }

  @Test("a reader, a follower and status --wait poll when inotify is refused", arguments: limits)
  func looking(limit: (call: String, error: String, name: String)) throws {
    let prefix = refusing(limit.call, limit.error)
    let line = prefix.joined(separator: " ")
    let id = try #require(try scratch.store("1").first)
    let waiting = try scratch.start(prefix + [Binary.path, "status", "--wait", id])
    #expect(waiting.errorLine()?.contains(limit.name) == true)
    try scratch.sh("\(line) pipe consume 2> log | cat").expect("1\n")
    #expect(waiting.line()?.contains("completed") == true)
    waiting.finish().expect(nil, errors: nil)
    let follower = try scratch.start(prefix + [Binary.path, "consume", "--follow", "-n", "1"])
    #expect(follower.errorLine()?.contains(limit.name) == true)
    try scratch.store("2")
    #expect(follower.line() == "2")
    follower.finish().expect(nil, errors: nil)
  }

  // A disk that fails.

  @Test(
    "a failed read is an I/O error, and never a removed queue",
    arguments: ["newfstatat", "getdents64", "fstat", "pread64"],
    ["stats", "list", "consume", "enqueue --raw", "batch -n 1 --hold 1s", "status ID"])
  func disk(call: String, command: String) throws {
    let id = try #require(try scratch.store("1").first)
    let words = command.replacingOccurrences(of: "ID", with: id).split(separator: " ")
    let program = ["timeout", "600", Binary.path] + words.map(String.init)
    for number in 1...12 {
      let run = try scratch.run(
        refusing(call, "EIO", ":when=\(number)+") + ["-P", scratch.path("queue")] + program,
        input: Array("2\n".utf8))
      #expect(!run.errors.contains("removed") && !run.errors.contains("no such"), run.story)
      #expect([.exited(0), .exited(74)].contains(run.ending), run.story)
    }
  }
}

import Foundation
import Glibc
import Testing

/// An empty directory, with `pipe` in the PATH and no queue yet. It is removed with the test.
final class Scratch {
  /// Working directory of commands, and their HOME.
  let path: String
  private let base: String

  init() throws {
    let name = "pipe-command.\(getpid()).\(UUID().uuidString.prefix(8))"
    base = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent(name).path
    path = base + "/work"
    for directory in [path, base + "/bin"] {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }
    try FileManager.default.createSymbolicLink(
      atPath: base + "/bin/pipe", withDestinationPath: Scratch.binary)
  }

  deinit {
    // A test may have removed the permission to look inside.
    chmod(path + "/queue", 0o700)
    try? FileManager.default.removeItem(atPath: base)
  }

  /// $PIPE_BINARY, or the binary that the build left beside the tests.
  static let binary: String = {
    if let given = ProcessInfo.processInfo.environment["PIPE_BINARY"], !given.isEmpty {
      return URL(fileURLWithPath: given).standardizedFileURL.path
    }
    let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
    var directory = URL(fileURLWithPath: bundle)
    while directory.path.contains(".xctest") { directory.deleteLastPathComponent() }
    return directory.appendingPathComponent("pipe").path
  }()

  /// The repository.
  static let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(4)
    .joined(separator: "/").replacingOccurrences(of: "//", with: "/")

  var environment: [String: String] {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return [
      "PATH": "\(base)/bin:\(path):/usr/sbin:/sbin", "HOME": self.path, "LC_ALL": "C",
      "PIPE_QUEUE": self.path + "/queue",
      // A crash must show at once, without a minute of symbol lookup.
      "SWIFT_BACKTRACE": "enable=no",
    ]
  }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
  }

  func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// Mode bits of a file in the directory.
  func mode(_ name: String) -> Int {
    var status = stat()
    return lstat(path(name), &status) == 0 ? Int(status.st_mode) & 0o7777 : -1
  }

  func names(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }

  // Running programs.

  func start(_ program: [String], _ environment: [String: String] = [:]) throws -> Child {
    let all = self.environment.merging(environment) { $1 }.filter { !$0.value.isEmpty }
    return try Child(program, in: self, all)
  }

  func start(_ arguments: String...) throws -> Child { try start([Scratch.binary] + arguments) }

  /// Runs `pipe` with these arguments and this stdin to its end.
  func pipe(_ arguments: String..., input: String = "") throws -> Run {
    try run([Scratch.binary] + arguments, input: Array(input.utf8))
  }

  /// Runs a bash command line to its end. A variable set to the empty string is unset.
  func sh(_ line: String, input: String = "", _ environment: [String: String] = [:]) throws -> Run {
    try run(["bash", "-c", line], input: Array(input.utf8), environment)
  }

  func run(
    _ program: [String], input: [UInt8] = [], _ environment: [String: String] = [:]
  ) throws -> Run {
    let child = try start(program, environment)
    child.feed(input)
    return child.finish()
  }

  /// Starts a command line; its command replaces the shell.
  func start(line: String, _ environment: [String: String] = [:]) throws -> Child {
    try start(["bash", "-c", "exec \(line)"], environment)
  }

  /// Makes failed items ready at once, without a backoff.
  func retriesAtOnce() throws { try prepare("init", "--backoff", "0ms..0ms") }

  /// Runs `pipe` with these arguments, as preparation for a test about something else.
  func prepare(_ arguments: String..., input: String = "") throws {
    let result = try run([Scratch.binary] + arguments, input: Array(input.utf8))
    guard result.ending == .exited(0) else { throw Failure("a preparation failed: \(result)") }
  }

  /// Stores lines of JSON; returns their ids.
  @discardableResult
  func store(_ lines: String...) throws -> [String] {
    let result = try pipe("enqueue", "--raw", input: lines.map { $0 + "\n" }.joined())
    guard result.ending == .exited(0) else { throw Failure("a preparation failed: \(result)") }
    return result.receipts
  }

  /// Stores 0, 1, 2, … as records.
  func store(count: Int) throws { try store(0...count - 1) }

  /// Stores these numbers as records.
  func store(_ numbers: ClosedRange<Int>) throws {
    let lines = numbers.map { "\($0)\n" }
    try pipe("enqueue", "--raw", "--quiet", input: lines.joined()).expect("")
  }

  /// Number of items that are ready or claimed.
  func unsettled(in queue: String = "queue") throws -> Int {
    try count("ready", "claimed", in: queue)
  }

  /// Number of items in these states.
  func count(_ states: String..., in queue: String = "queue") throws -> Int {
    let stats = try pipe("stats", "-q", queue, "--json")
    let items = try stats.objects().first?["items"] as? [String: Any]
    let counts = states.compactMap { items?[$0] as? [String: Int] }
    guard counts.count == states.count else { throw Failure("no figures: \(stats)") }
    return counts.flatMap(\.values).reduce(0, +)
  }

  /// For a consumer whose other side is stopped: waits until it has given items to its command, so
  /// that the next event comes in the middle of the work.
  func waitForClaim() throws {
    try wait(until: { try count("claimed") > 0 }, "a claim")
  }
}

struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

import Foundation
import Glibc
import Testing

/// An empty directory to work in, with `pipe` in the PATH, and a queue that is not there yet. It is gone
/// when the test is.
final class Scratch {
  /// Where commands run; it is HOME too.
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
    // A test may have taken the permission to look inside.
    chmod(path + "/queue", 0o700)
    try? FileManager.default.removeItem(atPath: base)
  }

  /// $PIPE_BINARY, else what the build left beside the tests.
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
      // A crash must look like one at once, not like a minute of symbol lookup.
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

  // Running things.

  func start(_ program: [String], _ environment: [String: String] = [:]) throws -> Child {
    let all = self.environment.merging(environment) { $1 }.filter { !$0.value.isEmpty }
    return try Child(program, in: self, all)
  }

  func start(_ arguments: String...) throws -> Child { try start([Scratch.binary] + arguments) }

  /// `pipe` with these arguments and this stdin, to its end.
  func pipe(_ arguments: String..., input: String = "") throws -> Run {
    try run([Scratch.binary] + arguments, input: Array(input.utf8))
  }

  /// A command line of bash, to its end. A variable set to nothing is taken out of the environment.
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

  /// Starts the command that a line ends with, without a shell between.
  func start(line: String, _ environment: [String: String] = [:]) throws -> Child {
    try start(["bash", "-c", "exec \(line)"], environment)
  }

  /// Has the queue make ready at once what failed, instead of after a while.
  func retriesAtOnce() throws { try prepare("init", "--backoff", "0ms..0ms") }

  /// `pipe` with these arguments, for what a test needs but is not about.
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

  /// Items of a queue that are ready or claimed.
  func unsettled(in queue: String = "queue") throws -> Int {
    try count("ready", "claimed", in: queue)
  }

  /// Items of a queue in these states.
  func count(_ states: String..., in queue: String = "queue") throws -> Int {
    let stats = try pipe("stats", "-q", queue, "--json")
    let items = try stats.objects().first?["items"] as? [String: Any]
    let counts = states.compactMap { items?[$0] as? [String: Int] }
    guard counts.count == states.count else { throw Failure("no figures: \(stats)") }
    return counts.flatMap(\.values).reduce(0, +)
  }

  /// While the other side stands still: until a consumer has given some of what is stored to its command, so that
  /// whatever happens next happens in the middle.
  func waitForClaim() throws {
    try wait(until: { try count("claimed") > 0 }, "a claim")
  }
}

struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

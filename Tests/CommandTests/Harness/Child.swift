import Foundation
import Glibc

/// A running process. `pump` moves its input and output; nothing else waits.
final class Child {
  let process: pid_t
  private let program: [String]
  // Its working directory must exist as long as it runs.
  private let scratch: Scratch
  private var given: [UInt8] = []
  private var fed = 0
  private var isInputOver = false
  private var input: Int32
  private var output: Stream
  private var errors: Stream
  private var ending: Ending?
  private var isHung = false

  private struct Stream {
    var number: Int32
    var bytes: [UInt8] = []
    var start = 0

    var isOpen: Bool { number >= 0 }

    mutating func line() -> String? {
      guard let end = bytes[start...].firstIndex(of: 0x0a) else { return nil }
      defer { start = end + 1 }
      return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    mutating func read() {
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = Glibc.read(number, &buffer, buffer.count)
      if count > 0 { bytes += buffer[..<count] } else if count == 0 || errno != EINTR { shut() }
    }

    mutating func shut() {
      if number >= 0 { close(number) }
      number = -1
    }
  }

  /// Milliseconds: no wait here takes this long on a busy machine, so a longer one never ends.
  private static let patience: Int32 = 60_000
  /// Seconds: a process that still prints after this time never stops.
  private static let limit = 180
  private let start = time(nil)

  init(_ program: [String], in scratch: Scratch, _ environment: [String: String]) throws {
    _ = Glibc.signal(SIGPIPE, SIG_IGN)
    let (theirInput, ourInput) = try makePipe()
    let (ourOutput, theirOutput) = try makePipe()
    let (ourErrors, theirErrors) = try makePipe()
    defer { for number in [theirInput, theirOutput, theirErrors] { close(number) } }
    self.program = program
    self.scratch = scratch
    process = try spawn(
      program, in: scratch.path, environment, [theirInput, theirOutput, theirErrors])
    _ = fcntl(ourInput, F_SETFL, O_NONBLOCK)
    input = ourInput
    output = Stream(number: ourOutput)
    errors = Stream(number: ourErrors)
  }

  /// Feeds stdin: what fits at once, and the rest whenever the test waits.
  func feed(_ bytes: [UInt8]) {
    given += bytes
    handOver()
  }

  func feed(_ text: String) { feed(Array(text.utf8)) }

  /// The next line of its stdout; nil at the end.
  func line() -> String? {
    while true {
      if let line = output.line() { return line }
      if !output.isOpen || !pump() { return nil }
    }
  }

  /// The next line of its stderr; nil at the end.
  func complaint() -> String? {
    while true {
      if let line = errors.line() { return line }
      if !errors.isOpen || !pump() { return nil }
    }
  }

  /// Waits until stdout has something to read, and leaves it there.
  func waitForOutput() -> Bool {
    var entry = pollfd(fd: output.number, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, Child.patience) == 1
  }

  func endInput() {
    isInputOver = true
    if fed == given.count { shutInput() }
  }

  /// Closes the reading end of its stdout.
  func closeOutput() { output.shut() }

  func signal(_ number: Int32) { kill(process, number) }

  /// Reads the rest of its output and waits for it and for every process that holds its output.
  func finish() -> Run {
    endInput()
    while output.isOpen || errors.isOpen, pump() {}
    shutInput()
    return Run(
      program: program, directory: scratch.path, input: given, ending: isHung ? .hung : reap(),
      bytes: output.bytes, errors: String(decoding: errors.bytes, as: UTF8.self))
  }

  /// Waits for the process alone, not for its children.
  @discardableResult
  func reap() -> Ending {
    if let ending { return ending }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let result = Ending(status: status)
    ending = result
    return result
  }

  // Waits for one event. false: none came for a minute.
  private func pump() -> Bool {
    if isInputOver, fed == given.count { shutInput() }
    var entries = [
      pollfd(fd: output.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errors.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: fed < given.count ? input : -1, events: Int16(POLLOUT), revents: 0),
    ]
    let count = poll(&entries, 3, Child.patience)
    if count == 0 || time(nil) - start > Child.limit { return giveUp() }
    if entries[0].revents != 0 { output.read() }
    if entries[1].revents != 0 { errors.read() }
    if entries[2].revents != 0 { handOver() }
    return true
  }

  private func handOver() {
    let count = given.withUnsafeBytes { write(input, $0.baseAddress! + fed, given.count - fed) }
    if count > 0 { fed += count } else if errno == EPIPE { shutInput() }
  }

  private func shutInput() {
    if input >= 0 { close(input) }
    input = -1
    fed = given.count
  }

  private func giveUp() -> Bool {
    isHung = true
    kill(-process, SIGKILL)
    kill(process, SIGKILL)
    reap()
    return false
  }

  deinit {
    shutInput()
    output.shut()
    errors.shut()
    if ending == nil {
      kill(-process, SIGKILL)
      reap()
    }
  }
}

extension Child: CustomReflectable {
  // A failing expectation prints every value it mentions: not a hundred megabytes of input.
  var customMirror: Mirror { Mirror(self, children: ["process": process]) }
}

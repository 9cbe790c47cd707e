internal import Glibc
internal import Logging
internal import PipeGateway
internal import PipeIO
internal import PipeJSON
internal import PipeRender
internal import PipeTime
internal import Synchronization

/// The diagnostics and the access log of `pipe serve`.
struct ServerLog: Sendable {
  let lines: LogLines
  /// Messages for people.
  let diagnostics: Logger
  private let access: Logger?

  init(_ level: Logger.Level, access isWanted: Bool) throws(Fault) {
    let lines = try LogLines()
    self.lines = lines
    diagnostics = Logger(label: "pipe serve") { _ in
      LineHandler(lines, level) { event in
        let level = Diagnostic.Level(rawValue: event.level.rawValue) ?? .warning
        return Diagnostics(command: "serve").line(printable("\(event.message)"), level)
      }
    }
    access =
      isWanted
      ? Logger(label: "access") { _ in LineHandler(lines, .info) { accessLine($0.metadata ?? [:]) }
      }
      : nil
  }

  /// Warns the operator.
  var warn: @Sendable (String) -> Void {
    let diagnostics = diagnostics
    return { diagnostics.warning("\($0)") }
  }

  /// Logs one line for each response; nil: no access log.
  var record: (@Sendable (AccessLogEntry) -> Void)? {
    guard let access else { return nil }
    return { served in
      access.info(
        "answered",
        metadata: [
          "client": "\(served.client)", "method": "\(served.method)", "target": "\(served.target)",
          "status": .stringConvertible(served.status), "bytes": .stringConvertible(served.bytes),
          "seconds": .stringConvertible(served.seconds),
        ])
    }
  }
}

/// Formats the lines of a logger and passes them to `LogLines`.
private struct LineHandler: LogHandler {
  var logLevel: Logger.Level
  var metadata: Logger.Metadata = [:]
  private let lines: LogLines
  private let line: @Sendable (LogEvent) -> String

  init(
    _ lines: LogLines, _ level: Logger.Level, _ line: @escaping @Sendable (LogEvent) -> String
  ) {
    self.lines = lines
    self.line = line
    logLevel = level
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { lines.put(line(event)) }
}

/// `{"time":"…","client":"127.0.0.1","method":"POST","target":"/ingest","status":202,"bytes":45,"seconds":0.0012}`
private func accessLine(_ metadata: Logger.Metadata) -> String {
  let output = Output()
  output.append(#"{"time":"#)
  output.bytes += JSONWriter.quotedTime(Clock.now())
  for name in ["client", "method", "target", "status", "bytes", "seconds"] {
    output.append(",\"\(name)\":")
    switch metadata[name] {
    case .stringConvertible(let number): output.append(number.description)
    case .string(let text): output.appendString(text)
    default: output.append("null")
    }
  }
  output.append("}")
  return String(decoding: output.bytes, as: UTF8.self)
}

/// Lines for stderr. Logging never waits for the reader: lines that arrive faster than stderr takes
/// them are dropped and counted.
final class LogLines: Sendable {
  private struct Pending {
    var bytes: [UInt8] = []
    /// Lines that did not fit into `bytes`.
    var dropped = 0
  }

  private let pending = Mutex(Pending())
  private let worker: SerialWorker<LogWriter, LogLines>
  private let end: LogEnd

  /// Bytes that may wait to be written.
  private static let most = 4 << 20
  /// How long the reader has at the end.
  private static let patience: TimeSpan = .seconds(1)

  init() throws(Fault) {
    let end = try LogEnd()
    self.end = end
    worker = try SerialWorker(LogWriter(end)) { $1.first?.write(with: &$0) }
  }

  func put(_ line: String) {
    let isFirst = pending.withLock { pending in
      let isFirst = pending.bytes.isEmpty
      if pending.bytes.count + line.utf8.count < LogLines.most {
        pending.bytes += line.utf8
        pending.bytes.append(0x0a)
      } else {
        pending.dropped += 1
      }
      return isFirst
    }
    if isFirst { worker.put(self) }
  }

  private func write(with writer: inout LogWriter) {
    let taken = pending.withLock { pending in
      let taken = pending
      pending = Pending()
      return taken
    }
    writer.dropped += writer.write(taken.bytes) + taken.dropped
    guard writer.dropped > 0 else { return }
    let note = Diagnostics(command: "serve").line(
      "\(writer.dropped) log lines were dropped: stderr is slow or full")
    if writer.write(Array((note + "\n").utf8)) == 0 { writer.dropped = 0 }
  }

  /// Waits until the lines put before are written, or until the reader has taken nothing for
  /// `patience`.
  func finish() {
    end.set(Clock.steady() + LogLines.patience)
    worker.finish()
  }
}

/// When lines not yet written are given up: never, until the server ends.
private final class LogEnd: Sendable {
  private let time = Mutex(SteadyInstant?.none)
  private let bell: Bell

  init() throws(Fault) { bell = try Bell() }

  func set(_ instant: SteadyInstant) {
    time.withLock { $0 = instant }
    bell.ring()
  }

  /// Blocks until stderr takes something. False: the end has come first.
  func waitForRoom() -> Bool {
    while true {
      let end = time.withLock(\.self)
      var poller = Poller()
      let room = poller.watch(STDERR_FILENO, for: .writing)
      if end == nil { _ = poller.watch(bell.fd) }
      guard (try? poller.wait(until: end)) != nil else { return false }
      if poller.isReady(room) { return true }
      if let end, Clock.steady() >= end { return false }
    }
  }
}

/// Writes to stderr without blocking on its reader.
private struct LogWriter {
  /// Lines dropped and not yet reported.
  var dropped = 0
  /// Whether the last line was cut off.
  private var isTorn = false
  private let end: LogEnd

  init(_ end: LogEnd) { self.end = end }

  /// Writes lines; returns the number of lines it could not write.
  mutating func write(_ lines: [UInt8]) -> Int {
    let bytes = isTorn ? [0x0a] + lines : lines
    var done = 0
    while done < bytes.count {
      guard end.waitForRoom() else { break }
      // A pipe reported as writable takes this many bytes at once.
      let portion = min(bytes.count - done, Int(PIPE_BUF))
      let count = bytes.withUnsafeBytes { all in
        retryingInterrupts { Glibc.write(STDERR_FILENO, all.baseAddress! + done, portion) }
      }
      if count < 0, errno == EAGAIN { continue }
      if count < 0 { break }
      done += count
    }
    let left = bytes[max(done, bytes.count - lines.count)...]
    if done > 0 { isTorn = bytes[done - 1] != 0x0a }
    return left.count { $0 == 0x0a }
  }
}

internal import Logging
internal import PipeGateway
internal import PipeIO
internal import PipeJSON
internal import PipeRender

/// The diagnostics and the access log of `pipe serve`.
struct ServerLog: Sendable {
  let lines: LogLines
  /// Messages for people.
  let diagnostics: Logger
  private let access: Logger?

  init(_ level: Logger.Level, access isWanted: Bool) throws(Fault) {
    let lines = try LogLines()
    self.lines = lines
    diagnostics = Logger(label: "pipe serve") { label in
      LineHandler(lines, level) { "\(label): \(printable("\($0.message)"))" }
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

internal import Glibc
internal import Logging
internal import PipeGateway
internal import PipeIntake
internal import PipeIO
internal import PipeEngine
internal import PipeServe
internal import PipeTime

struct Serve: Command {
  static let about = About(
    "serve", .serve, "Accept entries over HTTP, and answer queries about them.")

  @Group var queue: QueueOptions

  @Option(
    "--host", value: "address",
    "The address to listen on; default $PIPE_HOST, $HOST or 127.0.0.1. "
      + "Any but loopback needs --token-file.")
  var host: String?

  @Option("--port", value: "port", "The port, 0 for a free one; default $PIPE_PORT, $PORT or 8000.")
  var port: Int?

  @Option("--token-file", value: "file", "A file with the token that clients must send.")
  var tokenFile: String?

  @Option("--max-body", value: "size", "The longest request body accepted; 1MiB by default.")
  var maxBody = ByteSize(bytes: 1 << 20)

  @Option("--require", value: "field:type", "A member that records must have; may be repeated.")
  var require: [Requirement]

  @Option(
    "--dedup", value: "duration",
    "Answer a repeated id request or key with the earlier id for this long; 300s by default.")
  var dedup: SpanArgument?

  @Option(
    "--limit", value: "n/s",
    "Requests allowed from one address, such as 100/s; more are answered 429.")
  var limit: Rate?

  @Option(
    "--cors", value: "origin",
    "Another origin whose pages may use the gateway, such as https://example.com, or * for all.")
  var cors: String?

  @Option("--label", value: "name", "Give each metric of /metrics the label queue with this value.")
  var label: String?

  @Flag("--access-log", help: "Write a JSON line to stderr for each response.")
  var accessLog

  func validate() throws(Mistake) {
    if let port, !(0...65535).contains(port) {
      throw Mistake("--port must be from 0 to 65535")
    }
    guard (1...1 << 30).contains(maxBody.bytes) else {
      throw Mistake("--max-body must be from 1 to 1GiB")
    }
    try requireText(cors, "--cors")
    if cors == "" { throw Mistake("--cors is empty; name an origin") }
    try requireText(label, "--label")
    if label == "" { throw Mistake("--label is empty; name the queue") }
    if host == "" { throw Mistake("--host is empty; give an address") }
  }

  func run() {
    Exit.perform("serve") { () throws(Fault) in
      try ServeJob(
        location: queue.location, address: try address(), tokenFile: tokenFile,
        maxBody: maxBody.bytes, requirements: require,
        dedup: dedup?.span ?? Serve.usualDedup, limit: limit, cors: cors,
        label: label, logLevel: try logLevel(), accessLog: accessLog
      ).run()
    }
  }

  private static let usualDedup: TimeSpan = .minutes(5)

  private func address() throws(Fault) -> ListeningAddress {
    if let inherited = try ListeningAddress.fromSystemd() { return inherited }
    let setting = Setting("HOST")
    let name = host ?? setting?.text ?? "127.0.0.1"
    let address = ListeningAddress.own(name == "localhost" ? "127.0.0.1" : name, try portNumber())
    if address.isValid { return address }
    let wrong = "is not an address; give one such as 127.0.0.1, 0.0.0.0 or ::"
    if host == nil, let setting { throw setting.fault(wrong) }
    throw Fault(.usage, "\(printable(name)): \(wrong)")
  }

  private func portNumber() throws(Fault) -> Int {
    if let port { return port }
    guard let setting = Setting("PORT") else { return 8000 }
    guard let number = UInt16(setting.text) else {
      throw setting.fault("is not a port from 0 to 65535")
    }
    return Int(number)
  }

  private func logLevel() throws(Fault) -> Logger.Level {
    guard let setting = Setting("LOG_LEVEL") else { return .info }
    guard let level = Logger.Level(rawValue: setting.text.lowercased()) else {
      let all = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw setting.fault("is not one of \(all)")
    }
    return level
  }
}

/// An environment variable: `PIPE_` and a name or, if that is unset, the name alone, as in the
/// earlier system.
private struct Setting {
  let name: String
  let text: String

  init?(_ name: String) {
    for name in ["PIPE_" + name, name] {
      guard let text = variable(name) else { continue }
      (self.name, self.text) = (name, text)
      return
    }
    return nil
  }

  func fault(_ wrong: String) -> Fault {
    Fault(.settings, "\(name): \(printable(text)) \(wrong)")
  }
}

extension ListeningAddress {
  /// The listening socket from systemd (sd_listen_fds(3)); nil if there is none.
  fileprivate static func fromSystemd() throws(Fault) -> ListeningAddress? {
    guard let text = variable("LISTEN_FDS"), variable("LISTEN_PID") == "\(getpid())" else {
      return nil
    }
    // They are for this process only.
    unsetenv("LISTEN_FDS")
    unsetenv("LISTEN_PID")
    guard text == "1" else {
      throw Fault(.settings, "LISTEN_FDS: \(printable(text)) sockets; exactly one is supported")
    }
    let address = ListeningAddress.inherited(3)
    guard address.isValid else {
      throw Fault(.settings, "LISTEN_FDS: descriptor 3 is not a listening socket")
    }
    return address
  }
}

extension Rate: OptionValue {
  static var form: String? { "requests per second: \(words[0])" }
  static var words: [String] { ["100/s"] }
}

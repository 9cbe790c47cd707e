internal import ArgumentParser
internal import Glibc
internal import Logging
internal import PipeGateway
internal import PipeIO
internal import PipeQueue

struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Take entries over HTTP, and answer questions about them.")

  @OptionGroup var queue: QueueOptions

  @Option(
    help: ArgumentHelp(
      "The address to listen at; else $PIPE_HOST, else 127.0.0.1. Any but loopback needs --token-file.",
      valueName: "address"))
  var host: String?

  @Option(
    help: ArgumentHelp(
      "The port, 0 for a free one; else $PIPE_PORT, else 8000.", valueName: "port"))
  var port: Int?

  @Option(help: ArgumentHelp("A file with the token that clients must send.", valueName: "file"))
  var tokenFile: String?

  @Option(help: ArgumentHelp("The longest body.", valueName: "size"))
  var maxBody = ByteSize(bytes: 1 << 20)

  @Option(
    help: ArgumentHelp(
      "A member that records must have; may be repeated.", valueName: "field:type"))
  var require: [Requirement] = []

  @Option(
    help: ArgumentHelp(
      "Requests that one address may make, such as 100/s; more are answered 429.",
      valueName: "n/s"))
  var limit: Rate?

  @Option(
    help: ArgumentHelp(
      "Another site whose pages may use the gateway, such as https://example.com, or * for all.",
      valueName: "origin"))
  var cors: String?

  @Flag(help: "Write a JSON line to stderr for each answer.")
  var accessLog = false

  func validate() throws {
    if let port, !(0...65535).contains(port) { throw ValidationError("--port is from 0 to 65535") }
    guard (1...1 << 30).contains(maxBody.bytes) else {
      throw ValidationError("--max-body is from 1 to 1GiB")
    }
    if host == "" { throw ValidationError("--host is empty; give an address") }
  }

  func run() {
    Exit.perform("serve") { () throws(Fault) in
      try ServeJob(
        location: queue.location, address: try address(), tokenFile: tokenFile,
        maxBody: maxBody.bytes, requirements: require, limit: limit, cors: cors,
        logLevel: try logLevel(), accessLog: accessLog
      ).run()
    }
  }

  private func address() throws(Fault) -> ListeningAddress {
    if let inherited = try ListeningAddress.fromSystemd() { return inherited }
    let name = host ?? variable("PIPE_HOST") ?? "127.0.0.1"
    let address = ListeningAddress.own(name == "localhost" ? "127.0.0.1" : name, try portNumber())
    guard address.isValid else {
      throw Fault(
        host == nil ? .settings : .usage,
        (host == nil ? "PIPE_HOST: " : "")
          + "\(printable(name)): is no address; give one such as 127.0.0.1, 0.0.0.0 or ::")
    }
    return address
  }

  private func portNumber() throws(Fault) -> Int {
    if let port { return port }
    guard let text = variable("PIPE_PORT") else { return 8000 }
    guard let number = UInt16(text) else {
      throw Fault(.settings, "PIPE_PORT: \(printable(text)) is no port from 0 to 65535")
    }
    return Int(number)
  }

  private func logLevel() throws(Fault) -> Logger.Level {
    guard let text = variable("PIPE_LOG_LEVEL") else { return .info }
    guard let level = Logger.Level(rawValue: text.lowercased()) else {
      let all = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw Fault(.settings, "PIPE_LOG_LEVEL: \(printable(text)) is none of \(all)")
    }
    return level
  }
}

/// Of the environment; an empty one counts as none.
private func variable(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}

extension ListeningAddress {
  /// What systemd listens at for this process (sd_listen_fds(3)); nil where it does not.
  fileprivate static func fromSystemd() throws(Fault) -> ListeningAddress? {
    guard let text = variable("LISTEN_FDS"), variable("LISTEN_PID") == "\(getpid())" else {
      return nil
    }
    // They are for this process alone.
    unsetenv("LISTEN_FDS")
    unsetenv("LISTEN_PID")
    guard text == "1" else {
      throw Fault(.settings, "LISTEN_FDS: \(printable(text)) sockets; one can be listened at")
    }
    let address = ListeningAddress.inherited(3)
    guard address.isValid else {
      throw Fault(.settings, "LISTEN_FDS: descriptor 3 takes no connections")
    }
    return address
  }
}

#if Postgres
  internal import PipeIO

  /// `postgres://[user@]host[:port][,host2…]/DATABASE/QUEUE[?parameters of libpq]`: the queue is a schema.
  struct Address {
    /// The address without the queue, as libpq takes it.
    let server: String
    let schema: String
    /// The number of hosts that libpq tries.
    let hosts: Int

    init(_ text: String) throws(Fault) {
      let wrong = "\(printable(text)): is not postgres://[HOST]/DATABASE/QUEUE"
      guard let start = text.range(of: "://")?.upperBound else { throw Fault(.usage, wrong) }
      let end = text[start...].firstIndex(of: "?") ?? text.endIndex
      let parts = text[start..<end].split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 3, !parts[1].isEmpty, !parts[2].isEmpty else {
        throw Fault(.usage, wrong)
      }
      if parts[0].prefix(while: { $0 != "@" }).contains(":"), parts[0].contains("@") {
        throw Fault(
          .usage, "an address with a password shows it to all users of this machine; use ~/.pgpass")
      }
      // libpq takes the name of a parameter with %-escapes.
      let parameters = text[end...].dropFirst().split(separator: "&").map {
        String($0.prefix { $0 != "=" })
      }
      if parameters.contains(where: { $0 == "password" || $0.contains("%") }) {
        throw Fault(
          .usage, "an address with a password shows it to all users of this machine; use ~/.pgpass")
      }
      guard parts[2].utf8.count < 64, parts[2].allSatisfy(Address.isPlain) else {
        throw Fault(
          .usage,
          "\(printable(String(parts[2]))): the name of a queue has up to 63 of a-z, 0-9 and _")
      }
      schema = String(parts[2])
      hosts = parts[0].split(separator: ",").count
      server = "postgresql://\(parts[0])/\(parts[1])\(text[end...])"
    }

    private static func isPlain(_ character: Character) -> Bool {
      character.isASCII && (character.isLowercase || character.isNumber || character == "_")
    }
  }

  extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? {
      indices.first { self[$0...].hasPrefix(text) }.map {
        $0..<index($0, offsetBy: text.count)
      }
    }
  }
#endif

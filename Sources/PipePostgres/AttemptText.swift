#if Postgres
  internal import PipeQueue
  internal import PipeTime

  /// A failed attempt in a history, after its number: `STARTED ENDED EXIT SIGNAL REASON`.
  enum AttemptText {
    static func line(_ failure: Failure, _ started: Instant?, _ ended: Instant) -> String {
      let exit = failure.exitStatus.map { "\($0)" } ?? "-"
      let signal = failure.signal.map { "\($0)" } ?? "-"
      // By bytes: "\r\n" is one character.
      var bytes: [UInt8] = []
      for byte in failure.reason.utf8 {
        switch byte {
        case UInt8(ascii: "\\"): bytes += Array("\\\\".utf8)
        case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
        case 0: bytes += Array("\\0".utf8)
        default: bytes.append(byte)
        }
      }
      let reason = String(decoding: bytes, as: UTF8.self)
      return
        "\(started.map { "\($0.microseconds)" } ?? "-") \(ended.microseconds) \(exit) \(signal) \(reason)"
    }

    private static func unescaped(_ text: String) -> String {
      var plain: [UInt8] = []
      var isEscaped = false
      for byte in text.utf8 {
        if isEscaped {
          plain.append(
            byte == UInt8(ascii: "n") ? UInt8(ascii: "\n") : byte == UInt8(ascii: "0") ? 0 : byte)
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else {
          plain.append(byte)
        }
      }
      return String(decoding: plain, as: UTF8.self)
    }

    /// The attempts of a history, in order.
    static func attempts(_ history: String) -> [Attempt] {
      history.utf8.split(separator: UInt8(ascii: "\n")).compactMap { line in
        let parts = line.split(
          separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false
        ).map { String(Substring($0)) }
        guard parts.count == 6, let number = Int(parts[0]), let ended = Int64(parts[2]) else {
          return nil
        }
        return Attempt(
          number: number, started: Int64(parts[1]).map(Instant.init(microseconds:)),
          ended: Instant(microseconds: ended), exitStatus: Int32(parts[3]), signal: Int32(parts[4]),
          reason: unescaped(parts[5]))
      }
    }
  }
#endif

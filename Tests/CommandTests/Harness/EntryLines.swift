import TestSupport
import Testing

extension Run {
  /// The entry lines of stdout without their variable parts: `HIGH data:1.50`, `LOW ids:[1, 2]`.
  var entries: [String] {
    lines.map { line in
      let form =
        #/\{"id":"[0-7][0-9A-HJKMNP-TV-Z]{25}","priority":"([A-Z]+)","time":"[-0-9T:.]+Z","(data|ids)":(.*)\}/#
      guard let match = line.wholeMatch(of: form) else { return "no entry line: " + line }
      return "\(match.1) \(match.2):\(match.3)"
    }
  }

  /// Like `expect`, for programs that print entry lines.
  func expect(
    entries: [String], errors: String? = "", status: Int32 = 0,
    at location: SourceLocation = #_sourceLocation
  ) {
    expect(nil, errors: errors, status: status, at: location)
    if entries != self.entries {
      Issue.record("expected the entries \(entries)\n\(self)", sourceLocation: location)
    }
  }
}

/// An entry line as another program would write it.
func entryLine(_ id: String, _ rest: String = #""data":1"#) -> String {
  #"{"id":"\#(id)",\#(rest)}"#
}

/// An id generated at this time (ms since 1970); `number` distinguishes ids of one time.
func id(at milliseconds: Int, _ number: Int = 0) -> String {
  let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
  let head = (0..<10).map { digits[milliseconds >> (45 - 5 * $0) & 31] }
  let tail = (0..<16).map { $0 < 4 ? "0" : digits[number >> (75 - 5 * $0) & 31] }
  return String(head + tail)
}

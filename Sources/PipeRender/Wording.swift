package import PipeIO
internal import PipeJSON
package import PipeQueue
internal import PipeText
package import PipeTime

/// `1 item`, `2 items`.
package func counted(_ number: Int, _ noun: String) -> String {
  "\(number) \(noun)" + (number == 1 ? "" : "s")
}

/// Seconds for JSON, to the millisecond: `5.0`, `0.125`.
package func seconds(_ span: TimeSpan) -> String {
  let rounded = (span.microseconds + 500) / 1000
  let text = "\(rounded / 1000)." + String(String(1000 + rounded % 1000).dropFirst())
  var digits = Substring(text)
  while digits.hasSuffix("0"), !digits.hasSuffix(".0") { digits.removeLast() }
  return String(digits)
}

extension TimeSpan {
  /// For sentences: `20 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`; nothing below zero.
  package var words: String {
    let microseconds = max(0, microseconds)
    let tenths = (microseconds + 50_000) / 100_000
    let seconds = tenths / 10
    switch seconds {
    case _ where tenths < 10: return "\((microseconds + 999) / 1000) ms"
    case ..<60: return tenths % 10 == 0 ? "\(seconds) s" : "\(seconds).\(tenths % 10) s"
    case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
    case ..<86_400: return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
    default: return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
    }
  }
}

extension Pause {
  /// `paused until 2026-11-21T05:00:00Z: maintenance`
  package var words: String {
    let end = until.map { " until \(shortTime($0))" } ?? ""
    return "paused\(end)" + (reason.isEmpty ? "" : ": \(printable(reason))")
  }
}

/// An instant to the second, `2026-11-21T05:00:00Z`.
package func shortTime(_ instant: Instant) -> String {
  String(decoding: JSONWriter.quotedTime(instant).dropFirst().prefix(19), as: UTF8.self) + "Z"
}

extension Diagnostics {
  /// Reports an id for which nothing was found; `what` says what is missing if the entry exists.
  package func unknown(_ text: String, _ what: String?, in path: String) {
    guard EntryID(text) != nil else {
      return say(
        "\(printable(text)): not an id; enqueue prints ids: 26 digits and capital letters")
    }
    say("\(text): " + (what ?? "no such id in \(printable(path))"), id: text)
  }
}

/// What a progress line says: `12,345 lines  4,123/s  45.00 %  12 s left`.
package struct ProgressText {
  private let start = Clock.steady()
  private let noun: String

  /// `noun`: in the singular.
  package init(_ noun: String) { self.noun = noun }

  /// `share`: of the work, from 0 to 1; nil if it is not known. `note`: what else there is to say.
  package func line(_ count: Int, share: Double?, note: String? = nil) -> String {
    let seconds = (Clock.steady() - start).seconds
    var parts = [
      "\(whole(count)) \(noun)\(count == 1 ? "" : "s")",
      pace(seconds > 0 ? Double(count) / seconds : nil, ""),
    ]
    if let share {
      parts.append(inPercent(share))
      if share > 0, share < 1 { parts.append(age(seconds / share * (1 - share)) + " left") }
    }
    return (parts + (note.map { [$0] } ?? [])).joined(separator: "  ")
  }
}

/// `{"time":"…","level":"error","command":"status","message":"…","queue":"/var/lib/pipe/queue","id":"01J…"}`
package enum DiagnosticLine {
  package static func json(_ diagnostic: Diagnostic) -> String {
    let output = Output()
    output.append(#"{"time":"#)
    output.bytes += JSONWriter.quotedTime(Clock.now())
    let members: [(String, String?)] = [
      ("level", diagnostic.level.rawValue), ("command", diagnostic.command ?? "pipe"),
      ("message", diagnostic.text), ("queue", diagnostic.queue), ("id", diagnostic.id),
      ("file", diagnostic.file),
    ]
    for (name, text) in members {
      guard let text else { continue }
      output.append(",\"\(name)\":")
      output.appendString(printable(text))
    }
    for (name, number) in [("line", diagnostic.line), ("byte", diagnostic.byte)] {
      if let number { output.append(",\"\(name)\":\(number)") }
    }
    output.append("}")
    return String(decoding: output.bytes, as: UTF8.self)
  }
}

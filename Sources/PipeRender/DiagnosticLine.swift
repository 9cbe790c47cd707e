package import PipeIO
internal import PipeJSON

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

package import PipeIO
internal import PipeJSON
package import PipeQueue
package import PipeTime

/// An entry line with a state; an id request lists only its ids in that state.
package enum ListLine {
  package static func append(_ listed: ListedEntry, to output: Output) {
    output.append(#"{"id":""# + listed.id.text)
    output.append(#"","priority":""# + listed.priority.name + #"","time":"#)
    output.bytes += JSONWriter.quotedTime(listed.created)
    output.append(#","state":""# + listed.state.rawValue + #"","#)
    if let due = listed.due {
      output.append(#""not_before":"#)
      output.appendTime(due)
      output.append(",")
    }
    output.append(listed.isRecord ? #""data":"# : #""ids":"#)
    output.bytes += listed.data
    output.append("}\n")
  }

  package static func append(_ lost: LostItems, to output: Output) {
    output.append(#"{"id":null,"priority":""# + lost.priority.name + #"","state":"lost","items":"#)
    output.append(#"\#(lost.items),"number":\#(lost.number),"segment":""# + lost.segment)
    output.append(#"","byte":\#(lost.byte)}"# + "\n")
  }
}

/// `{"id":"01J…","item":1,"priority":"HIGH","data":…,"reason":"exit 65",…,"history":[…]}`
package enum DeadLine {
  package static func append(_ letter: DeadLetter, to output: Output) {
    let last = letter.history.last
    output.append(#"{"id":""# + letter.entry.text)
    output.append(#"","item":\#(letter.index),"priority":""# + letter.priority.name)
    output.append(#"","data":"#)
    output.bytes += letter.data
    output.append(#","reason":"#)
    output.appendString(last?.reason)
    output.append(#","exit_status":"# + number(last?.exitStatus))
    output.append(#","signal":"# + number(last?.signal))
    output.append(#","stderr":"#)
    output.appendString(String(decoding: letter.stderr, as: UTF8.self))
    output.append(#","died_at":"#)
    output.appendTime(last?.ended)
    output.append(#","history":"#)
    HistoryList.append(letter.history, to: output)
    output.append("}\n")
  }

  private static func number(_ value: Int32?) -> String { value.map { String($0) } ?? "null" }
}

/// `[{"attempt":1,"started_at":"…","ended_at":"…","exit_status":65}]`
enum HistoryList {
  static func append(_ history: [Attempt], to output: Output) {
    output.append("[")
    for (position, attempt) in history.enumerated() {
      output.append((position > 0 ? "," : "") + #"{"attempt":\#(attempt.number),"started_at":"#)
      output.appendTime(attempt.started)
      output.append(#","ended_at":"#)
      output.appendTime(attempt.ended)
      if let status = attempt.exitStatus { output.append(#","exit_status":\#(status)"#) }
      if let signal = attempt.signal { output.append(#","signal":\#(signal)"#) }
      output.append(#","reason":"#)
      output.appendString(attempt.reason)
      output.append("}")
    }
    output.append("]")
  }
}

extension Output {
  /// Appends a JSON string; null for nil.
  package func appendString(_ text: String?) {
    guard var text else { return append("null") }
    text.withUTF8 { appendJSONString(UnsafeRawBufferPointer($0), to: &bytes) }
  }

  /// Appends a quoted RFC 3339 time; null for nil.
  package func appendTime(_ time: Instant?) {
    guard let time else { return append("null") }
    bytes += JSONWriter.quotedTime(time)
  }
}

extension DeadLetterResult {
  /// `{"id":"01J…","items":3}`
  package var line: [UInt8] { Array(#"{"id":"\#(id.text)","items":\#(items)}"#.utf8) }
}

internal import PipeIO
internal import PipeJSON
internal import PipeQueue

/// `{"id":"01J…","item":1,"priority":"HIGH","data":…,"reason":"exit 65",…,"history":[…]}`
enum DeadLine {
  static func append(_ letter: DeadLetter, to output: Output) {
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
  /// As a JSON string; null for nil.
  func appendString(_ text: String?) {
    guard var text else { return append("null") }
    text.withUTF8 { appendJSONString(UnsafeRawBufferPointer($0), to: &bytes) }
  }

  /// Microseconds since the epoch, as a quoted RFC 3339 time; null for nil.
  func appendTime(_ time: Int64?) {
    guard let time else { return append("null") }
    bytes += EntryLineWriter.quotedTime(time)
  }
}

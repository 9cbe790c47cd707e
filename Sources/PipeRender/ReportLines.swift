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

/// `{"ingestion_id":"…","status":"triggered","batches":[…],…}`
package enum StatusLine {
  package static func append(
    _ status: EntryStatus, outputs: [OutputText.Kept]? = nil, to output: Output
  ) {
    output.append(#"{"ingestion_id":""# + status.id.text)
    output.append(#"","status":""# + status.word.rawValue + #"","batches":["#)
    for slice in status.slices {
      if slice.number > 1 { output.append(",") }
      output.append(#"{"batch_id":""# + "\(status.id.text).\(slice.number)\"")
      if !slice.ids.isEmpty { output.append(#","ids":["# + slice.ids.joined(separator: ",") + "]") }
      output.append(#","status":""# + slice.word.rawValue + #""}"#)
    }
    output.append(#"],"created_at":"#)
    output.bytes += JSONWriter.quotedTime(status.created)
    if let attempts = status.attempts { output.append(#","attempts":\#(attempts)"#) }
    if let reason = status.reason {
      output.append(#","reason":"#)
      output.appendString(reason)
    }
    if let outputs { append(outputs, to: output) }
    output.append("}\n")
  }

  /// `,"output":[{"item":1,"attempt":1,"value":…},…]`: the last value of each item.
  private static func append(_ outputs: [OutputText.Kept], to output: Output) {
    var last: [Int: OutputText.Kept] = [:]
    for kept in outputs where kept.output.value != nil {
      for item in kept.items { last[item] = kept }
    }
    output.append(#","output":["#)
    for (position, item) in last.keys.sorted().enumerated() {
      let kept = last[item]!.output
      output.append(position > 0 ? "," : "")
      output.append(#"{"item":\#(item),"attempt":\#(kept.attempt),"value":"#)
      output.bytes += kept.value!
      output.append("}")
    }
    output.append("]")
  }
}

/// `{"ingestion_id":"…"}`, with `"duplicate":true` if the id is that of an earlier entry.
package enum ReceiptLine {
  package static func append(_ receipt: Receipt, to output: Output) {
    append(receipt, to: &output.bytes)
    output.bytes.append(0x0a)
  }

  /// Without a newline.
  package static func append(_ receipt: Receipt, to out: inout [UInt8]) {
    JSONWriter.append(#"{"ingestion_id":""#, to: &out)
    receipt.id.append(to: &out)
    if receipt.isDuplicate {
      JSONWriter.append(#"","duplicate":true}"#, to: &out)
    } else {
      JSONWriter.append(#""}"#, to: &out)
    }
  }
}

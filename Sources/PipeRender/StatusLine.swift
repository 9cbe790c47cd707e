package import PipeIO
internal import PipeJSON
package import PipeQueue

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

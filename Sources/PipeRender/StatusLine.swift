package import PipeIO
internal import PipeJSON
package import PipeQueue

/// `{"ingestion_id":"…","status":"triggered","batches":[…],…}`
package enum StatusLine {
  package static func append(_ status: EntryStatus, to output: Output) {
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
    output.append("}\n")
  }
}

package import PipeIO
internal import PipeJSON
package import PipeQueue

/// `{"ingestion_id":"…"}`, with `"duplicate":true` where an earlier entry answered.
package enum ReceiptLine {
  package static func append(_ receipt: Receipt, to output: Output) {
    JSONWriter.append(#"{"ingestion_id":""#, to: &output.bytes)
    let start = output.bytes.count
    JSONWriter.append("00000000000000000000000000", to: &output.bytes)
    output.bytes.withUnsafeMutableBufferPointer { receipt.id.write(to: $0.baseAddress! + start) }
    output.append(receipt.isDuplicate ? #"","duplicate":true}"# : #""}"#)
    output.append("\n")
  }
}

package import PipeIO
internal import PipeJSON
package import PipeQueue

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

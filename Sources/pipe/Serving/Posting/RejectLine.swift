internal import PipeGateway
internal import PipeIO
internal import PipeQueue

/// `{"file":"…","line":42,"byte":17,"error":"…","input":"…"}`
enum RejectLine {
  /// Bytes of `input`.
  private static let longest = 4096

  static func append(_ rejection: Rejection, _ line: PostedLine, to output: Output) {
    output.append(#"{"file":"body","line":\#(line.number),"byte":"#)
    output.append(rejection.byte.map { "\($0)" } ?? "null")
    output.append(#","error":"#)
    output.appendString(rejection.reason)
    output.append(#","input":"#)
    output.appendString(String(decoding: line.text.prefix(longest), as: UTF8.self))
    output.append("}\n")
  }
}

/// `{"ingestion_id":"…"}`, with `"duplicate":true` where an earlier entry answered.
enum ReceiptLine {
  static func append(_ receipt: Receipt, to output: Output) {
    output.append(#"{"ingestion_id":""# + receipt.id.text)
    output.append(receipt.isDuplicate ? "\",\"duplicate\":true}\n" : "\"}\n")
  }
}

extension Rejection {
  /// In the words that clients know.
  var answer: Answer {
    switch kind {
    case .emptyIDs: .error(400, "IDs list cannot be empty")
    case .idOutOfRange: .error(400, reason)
    case .priority: .error(400, "Priority must be HIGH, MEDIUM, or LOW")
    case .other: .error(422, (byte.map { "byte \($0): " } ?? "") + reason)
    }
  }
}

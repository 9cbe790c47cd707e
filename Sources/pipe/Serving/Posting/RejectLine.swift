internal import PipeGateway
internal import PipeIO
internal import PipeJSON
internal import PipeQueue

/// `{"file":"…","line":42,"byte":17,"error":"…","input":"…"}`
enum RejectLine {
  /// Bytes of `input`.
  private static let longest = 4096

  /// `byte` is 1 where the whole line is meant.
  static func append(_ rejection: Rejection, _ line: PostedLine, to output: Output) {
    output.append(#"{"file":"body","line":\#(line.number),"byte":\#(rejection.byte ?? 1),"error":"#)
    output.appendString(rejection.reason)
    output.append(#","input":"#)
    let input = excerpt(line.text)
    output.appendString(String(decoding: input, as: UTF8.self))
    if String(validating: input, as: UTF8.self) == nil {
      output.append(#","input_base64":""#)
      Base64.append(Array(input), to: &output.bytes)
      output.append("\"")
    }
    output.append("}\n")
  }

  // Not cut within a character.
  private static func excerpt(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard text.count > longest else { return text }
    let most = text.startIndex + longest
    let end = (most - 3...most).last { text[$0] & 0xc0 != 0x80 } ?? most
    return text[..<end]
  }
}

extension Rejection {
  /// In the words that clients know.
  var answer: Answer {
    switch kind {
    case .emptyIDs: .error(400, "IDs list cannot be empty")
    case .idOutOfRange: .error(400, JSONFault.Reason.idOutOfRange.text)
    case .priority: .error(400, "Priority must be HIGH, MEDIUM, or LOW")
    case .other: .error(422, (byte.map { "byte \($0): " } ?? "") + reason)
    }
  }
}

internal import PipeJSON
internal import PipeQueue

/// Text as the data of an item: a JSON string, or `{"bytes":"BASE64"}` where the text is not UTF-8.
/// Both come out as the bytes that went in.
package enum TextItem {
  /// How the items of a stream end.
  package enum End: UInt8, Sendable {
    case newline = 0x0a
    case null = 0
  }

  package static func append(_ text: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    if isUTF8(text) { return appendJSONString(text, to: &out) }
    out += opening
    Base64.append(Array(text), to: &out)
    out += closing
  }

  /// Appends what `data` stands for: the text of a string, the bytes of such an object, and any other
  /// value as it is. `data`: valid JSON.
  package static func appendPlain(_ data: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    if data.first == 0x22 {
      appendDecoded(data, to: &out)
    } else if let bytes = bytes(data) {
      out += bytes
    } else {
      out.append(contentsOf: data)
    }
  }

  private static let opening = Array(#"{"bytes":""#.utf8)
  private static let closing = Array(#""}"#.utf8)

  private static func bytes(_ data: UnsafeRawBufferPointer) -> [UInt8]? {
    guard data.count >= opening.count + closing.count, data.starts(with: opening),
      data.suffix(closing.count).elementsEqual(closing)
    else { return nil }
    return Base64.bytes(
      UnsafeRawBufferPointer(rebasing: data[opening.count..<(data.count - closing.count)]))
  }
}

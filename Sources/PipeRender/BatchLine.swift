internal import PipeJSON
package import PipeQueue
package import PipeTime

/// `{"claim":"01J…","attempt":1,"items":[{"id":"01J…","item":3,"key":"01J…-3","priority":"HIGH","data":9},…]}`
package enum BatchLine {
  package static func bytes(_ claim: borrowing Claim) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(claim.bytes.count + claim.items.count * 80 + 80)
    append(claim.batch, claim.attempt, claim.items[...], data: claim.bytes, to: &out)
    return out
  }

  /// The line of a batch that is not claimed. `wait`: the time until it would be handed out.
  package static func bytes(_ claim: borrowing Claim, startingIn wait: TimeSpan) -> [UInt8] {
    var out = Array(#"{"at":\#(seconds(wait))"#.utf8)
    append(claim.attempt, claim.items[...], data: claim.bytes, to: &out)
    return out
  }

  /// `data`: the bytes that the items' ranges refer to.
  package static func append(
    _ claim: BatchID, _ attempt: Int, _ items: ArraySlice<Item>, data: [UInt8],
    to out: inout [UInt8]
  ) {
    JSONWriter.append(#"{"claim":""#, to: &out)
    claim.append(to: &out)
    out.append(0x22)
    append(attempt, items, data: data, to: &out)
  }

  private static func append(
    _ attempt: Int, _ items: ArraySlice<Item>, data: [UInt8], to out: inout [UInt8]
  ) {
    JSONWriter.append(#","attempt":"#, to: &out)
    out += String(attempt).utf8
    JSONWriter.append(#","items":["#, to: &out)
    for (position, item) in items.enumerated() {
      JSONWriter.append(position > 0 ? #",{"id":""# : #"{"id":""#, to: &out)
      item.entry.append(to: &out)
      JSONWriter.append(#"","item":"#, to: &out)
      out += String(item.index).utf8
      JSONWriter.append(#","key":""#, to: &out)
      item.appendKey(to: &out)
      out.append(0x22)
      switch item.priority {
      case .high: JSONWriter.append(#","priority":"HIGH","data":"#, to: &out)
      case .medium: JSONWriter.append(#","priority":"MEDIUM","data":"#, to: &out)
      case .low: JSONWriter.append(#","priority":"LOW","data":"#, to: &out)
      }
      out += data[item.data]
      out.append(0x7d)
    }
    JSONWriter.append("]}\n", to: &out)
  }
}

extension Item {
  /// The same for every attempt, and no other item's: the entry's id, with the item's number from the
  /// second item on.
  package var key: String { index == 1 ? entry.text : "\(entry.text)-\(index)" }

  fileprivate func appendKey(to out: inout [UInt8]) {
    entry.append(to: &out)
    if index == 1 { return }
    out.append(0x2d)
    out += String(index).utf8
  }
}

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

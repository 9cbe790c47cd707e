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

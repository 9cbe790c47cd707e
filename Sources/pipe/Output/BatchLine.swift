internal import PipeQueue

/// `{"claim":"01J…","attempt":1,"items":[{"id":"01J…","item":3,"priority":"HIGH","data":9},…]}`
enum BatchLine {
  static func bytes(_ claim: borrowing Claim) -> [UInt8] {
    bytes(claim, head: #""claim":"\#(claim.batch.text)""#)
  }

  /// Of a batch that nobody has: when it would be handed out, in microseconds from now.
  static func bytes(_ claim: borrowing Claim, startingIn wait: Int64) -> [UInt8] {
    bytes(claim, head: #""at":\#(seconds(wait))"#)
  }

  private static func bytes(_ claim: borrowing Claim, head: String) -> [UInt8] {
    var out = Array(#"{\#(head),"attempt":\#(claim.attempt),"items":["#.utf8)
    out.reserveCapacity(claim.bytes.count + claim.items.count * 80)
    for (position, item) in claim.items.enumerated() {
      if position > 0 { out.append(0x2c) }
      out += Array(
        #"{"id":"\#(item.entry.text)","item":\#(item.index),"priority":"\#(item.priority.name)","data":"#
          .utf8)
      out += claim.bytes[item.data]
      out.append(0x7d)
    }
    out += Array("]}\n".utf8)
    return out
  }
}

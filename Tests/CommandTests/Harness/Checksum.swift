import Foundation

/// CRC-32C (RFC 3720, appendix B.4), bit by bit, as the 8 hex digits in lines and names.
func checksum(_ text: String) -> String {
  let sum = ~text.utf8.reduce(UInt32.max) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in
      sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1
    }
  }
  return String(format: "%08x", sum)
}

/// A name in now/ or later/ with its checksum, from `HIGH.0.1.0-1.1.101` and `done`.
func checked(_ range: String, _ state: String) -> String {
  "\(range).\(checksum(range + state)).\(state)"
}

/// The parts of such a name; nil if it is invalid.
func parts(of name: String) -> (range: String, state: String)? {
  let pieces = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  guard pieces.count > 7 else { return nil }
  let (range, state) = (
    pieces[..<6].joined(separator: "."), pieces[7...].joined(separator: ".")
  )
  return checked(range, state) == name ? (range, state) : nil
}

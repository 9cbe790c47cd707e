import Foundation

/// CRC-32C (RFC 3720, appendix B.4), bit by bit.
package func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
  ~bytes.reduce(UInt32.max) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in
      sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1
    }
  }
}

/// The same as the 8 hex digits in lines and names.
package func checksum(_ text: String) -> String { String(format: "%08x", crc32c(text.utf8)) }

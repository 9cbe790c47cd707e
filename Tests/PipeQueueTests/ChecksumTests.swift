import CPipeIO
import Testing

@Suite("CRC32C")
struct ChecksumTests {
  private func sum(_ bytes: [UInt8], after: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBytes { cpipe_crc32c(after, $0.baseAddress, $0.count) }
  }

  @Test("CRC32C agrees with the examples of RFC 3720, B.4")
  func published() {
    #expect(sum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(sum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(sum(Array(0..<32)) == 0x46dd_794e)
    #expect(sum((0..<32).reversed()) == 0x113f_db5c)
    var command = [UInt8](repeating: 0, count: 48)
    command[0] = 0x01
    command[1] = 0xc0
    (command[16], command[22], command[27], command[31]) = (0x14, 0x04, 0x14, 0x18)
    (command[32], command[40]) = (0x28, 0x02)
    #expect(sum(command) == 0xd996_3a56)
    #expect(sum(Array("123456789".utf8)) == 0xe306_9283)
    #expect(sum([]) == 0)
  }

  @Test("CRC32C is the same in one piece and in two, at any length and alignment")
  func pieces() {
    let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 * 167 + 13) }
    for start in 0..<16 {
      for end in start..<200 {
        let whole = sum(Array(bytes[start..<end]))
        let middle = (start + end) / 2
        let first = sum(Array(bytes[start..<middle]))
        #expect(sum(Array(bytes[middle..<end]), after: first) == whole)
        let slow = bytes[start..<end].withUnsafeBufferPointer {
          ~cpipe_crc32c_bytewise(.max, $0.baseAddress, $0.count)
        }
        #expect(slow == whole)
      }
    }
  }
}

import Foundation
import Testing

@testable import PipeIO

@Suite("Text of the system")
struct SystemTextTests {
  private func text(_ bytes: [UInt8]) -> String {
    (bytes + [0]).map { CChar(bitPattern: $0) }.withUnsafeBufferPointer {
      String(system: $0.baseAddress!)
    }
  }

  private func bytes(_ text: String) -> [UInt8] {
    text.withSystemText { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
  }

  @Test(
    "bytes that are UTF-8 become that text",
    arguments: ["", "a", "a b", "ä", "日本", "😀", "\u{10fdff}", "\u{feff}", "\u{fffd}"])
  func valid(_ whole: String) {
    #expect(text(Array(whole.utf8)) == whole)
    #expect(bytes(whole) == Array(whole.utf8))
    #expect(whole.isUTF8)
  }

  @Test(
    "bytes that are not UTF-8 survive unchanged",
    arguments: [
      [0xff], [0x80], [0x61, 0xc3], [0xc3, 0x28], [0xe2, 0x82], [0xe2, 0x82, 0x41],
      [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xf5, 0x80, 0x80, 0x80], [0xc0, 0xaf],
      [0x61, 0xff, 0xc3, 0xa4, 0xfe, 0x62],
    ] as [[UInt8]])
  func foreign(_ original: [UInt8]) {
    let text = text(original)
    #expect(!text.isUTF8)
    #expect(text.systemBytes == original)
    #expect(bytes(text) == original)
  }

  @Test("every byte survives unchanged, alone and between letters")
  func all() {
    for byte in UInt8(1)...255 {
      for original in [[byte], [0x61, byte, 0x62]] {
        #expect(text(original).systemBytes == original)
      }
    }
  }

  @Test("characters that represent bytes survive unchanged when they are in the input")
  func collisions() {
    for scalar in ["\u{10fe80}", "\u{10fe81}", "\u{10feff}"] {
      let original = Array(scalar.utf8)
      #expect(text(original).systemBytes == original)
      #expect(text(original) != scalar)
    }
  }

  @Test("messages show foreign bytes in hexadecimal")
  func shown() {
    #expect(printable(text([0x61, 0xff, 0x80])) == #"a\xff\x80"#)
  }

  @Test("a path that is not UTF-8 opens the file of exactly that name")
  func paths() throws {
    let scratch = try Scratch()
    let name: [UInt8] = [0x61, 0xff, 0x62]
    let path = scratch.path + "/" + text(name)
    let number = openFile(path, O_WRONLY | O_CREAT | O_EXCL)
    try #require(number >= 0)
    defer { close(number) }
    var found: [[UInt8]] = []
    try scratch.directory.forEachName { found.append(Array($0)) }
    #expect(found == [name])
    let absolute = try #require(absolutePath(path))
    #expect(absolute.hasSuffix("/" + text(name)))
  }

  @Test("a missing path has no absolute path")
  func missing() {
    #expect(absolutePath("/nowhere/at/all") == nil)
  }
}

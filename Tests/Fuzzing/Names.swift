import CPipeIO
import PipeIO
import PipeTime

@testable import PipeQueue

/// A reader of a segment comes to its end in steps forward, whatever the segment holds.
func fuzzSegment(_ input: UnsafeRawBufferPointer) {
  var bytes = Array(input)
  seal(&bytes)
  let file = Descriptor(owning: cpipe_memfd("segment"), path: "segment")
  guard (try? file.append(bytes)) != nil else { return }
  let reader = SegmentReader(file, .high, 1)
  var offset = 0
  while true {
    guard let reading = try? reader.line(at: offset, limit: bytes.count) else { return }
    switch reading {
    case .line(let line):
      require(line.length > 0 && offset + line.length <= bytes.count, "a line ends in its segment")
      require(line.items > 0, "a line has items")
      _ = line.options.map(LineOptions.init)
      var list = ItemList(line.data, skipping: 0)
      while !line.isRecord, let item = list.next() {
        require(item.count <= line.data.count, "an item is in its list")
      }
      offset += line.length
    case .damaged(let until):
      require(until > offset && until <= bytes.count, "damage ends behind its start")
      offset = until
    case .end: return
    }
  }
}

/// Gives each line its checksum, except where its first byte is `!`: almost no other line would pass.
private func seal(_ bytes: inout [UInt8]) {
  var start = 0
  while start < bytes.count {
    let end = bytes[start...].firstIndex(of: 0x0a) ?? bytes.count
    if end - start > 8, bytes[start] != 0x21 {
      let sum = bytes[start..<end].withUnsafeBytes { SegmentLine.checksum($0, .high, 1, start) }
      bytes.replaceSubrange(start..<start + 8, with: hexText(sum))
    }
    start = end + 1
  }
}

private func hexText(_ sum: UInt32) -> [UInt8] {
  let digits = String(sum, radix: 16)
  return Array((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
}

/// A name that is read is written again as it was. The first byte chooses the kind of name.
func fuzzName(_ input: UnsafeRawBufferPointer) {
  guard let kind = input.first else { return }
  let text = String(decoding: input.dropFirst(), as: UTF8.self)
  let name = kind & 1 == 0 ? text : sealed(text, kind)
  var copy = name
  let again: String? = copy.withUTF8 { utf8 in
    let bytes = UnsafeRawBufferPointer(utf8)
    return switch kind >> 1 & 7 {
    case 0: NowName(bytes)?.text
    case 1: SideName.parse(bytes, .later, .high)?.text
    case 2: SideName.parse(bytes, .dead, .high)?.text
    case 3: LaneEnd(bytes)?.text
    case 4: ParkedHint(bytes)?.text
    case 5: PauseName(bytes)?.text
    case 6: EarlyHint(bytes).flatMap { $0 == .unknown ? nil : $0.text }
    default: (try? Settings.parse(bytes)).map { _ in name }
    }
  }
  require(again == nil || again == name, "\(name) is written again as \(again ?? "")")
}

/// Replaces the word SUM by the checksum.
private func sealed(_ text: String, _ kind: UInt8) -> String {
  let parts = text.split(separator: ".SUM", maxSplits: 1, omittingEmptySubsequences: false)
  guard parts.count == 2 else { return text }
  let lane = kind >> 1 & 7 == 2 ? "HIGH" : ""
  return parts[0] + "." + NameChecksum(lane + parts[0], String(parts[1])).text + parts[1]
}

import Foundation
import Testing

@Suite("memory stays small, whatever the input")
struct MemoryTests {
  @Test(
    "a line of 100 MiB is rejected in less than 64 MiB",
    arguments: [["ingest"], ["enqueue", "--raw"]])
  func longLine(arguments: [String]) throws {
    let child = try Scratch().start([Scratch.binary] + arguments)
    child.feed([UInt8](repeating: 0x5b, count: 100 << 20))
    child.feed("\n\"good\"\n")
    let receipt = try #require(child.line())
    // Asked while it lives, since what wait4(2) tells begins with the memory of whoever started it.
    let peak = try child.peakMemory()
    let run = child.finish()
    let name = "pipe \(arguments[0])"
    run.expect(
      errors: """
        \(name): stdin:1: byte 1048577: the record is longer than 1048576 bytes (--max-record-bytes)
        \(name): 1 of 2 lines rejected

        """, status: 65)
    #expect(receipt.hasPrefix("{\"i"), run.story)
    #expect(peak < 64 << 20, run.story)
  }
}

extension Child {
  /// Bytes that it ever had in memory at once.
  func peakMemory() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = Int(line.split(whereSeparator: { !$0.isNumber })[0])
    else { throw Failure("no VmHWM of \(process)") }
    return kilobytes << 10
  }
}

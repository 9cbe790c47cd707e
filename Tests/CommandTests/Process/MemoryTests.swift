import Foundation
import TestSupport
import Testing

@Suite("Memory use")
struct MemoryTests {
  @Test(
    "ingest and enqueue reject a line of 100 MiB with less than 64 MiB of memory",
    arguments: [["ingest"], ["enqueue", "--raw"]])
  func longLine(arguments: [String]) throws {
    let scratch = try Scratch()
    try scratch.prepare("init")
    let child = try scratch.start([Binary.path] + arguments)
    child.feed([UInt8](repeating: 0x5b, count: 100 << 20))
    child.feed("\n\"good\"\n")
    let receipt = try #require(child.line())
    // Read while the process lives: the peak that wait4(2) returns begins with its parent's memory.
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
  /// Peak memory of the process in bytes.
  func peakMemory() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = Int(line.split(whereSeparator: { !$0.isNumber })[0])
    else { throw Failure("no VmHWM of \(process)") }
    return kilobytes << 10
  }
}

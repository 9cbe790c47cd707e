import Glibc
import Testing

@testable import PipeIO

@Suite("Input of workers")
struct WorkerInputTests {
  private let reading: Descriptor
  private let input: WorkerInput

  init() throws {
    let ends = try makePipe("worker")
    reading = ends.reading
    input = WorkerInput(ends.writing)
  }

  private func append(_ text: String) { input.append { $0 += text.utf8 } }

  @Test("input counts what was appended, written and read")
  func counts() throws {
    append("abcd")
    #expect(input.end == 4)
    #expect(input.written == 0)
    #expect(!input.isEmpty)
    try input.push()
    #expect(input.isEmpty)
    #expect(input.written == 4)
    #expect(input.taken == 0)
    #expect(try reading.text(3) == "abc")
    #expect(input.taken == 3)
    append("ef")
    #expect(input.end == 6)
    try input.push()
    #expect(try reading.text() == "def")
    #expect(input.taken == 6)
  }

  @Test("input that does not fit is kept without blocking, and is sent once the worker has read")
  func full() throws {
    let size = 3 << 20
    input.append { $0 += [UInt8](repeating: 0x61, count: size) }
    try input.push()
    let first = input.written
    #expect(first > 0)
    #expect(first < size)
    #expect(input.end == size)
    #expect(try reading.text(1 << 16).utf8.count == 1 << 16)
    #expect(input.taken == 1 << 16)
    try input.push()
    #expect(input.written > first)
    input.cut(at: 0)
    #expect(input.end == input.written)
    #expect(input.isEmpty)
  }

  @Test("input is cut after the bytes that are already written")
  func cut() throws {
    append("ab")
    try input.push()
    append("cdef")
    input.cut(at: 4)
    #expect(input.end == 4)
    input.cut(at: 0)
    #expect(input.end == 2)
    #expect(input.isEmpty)
    append("x")
    try input.push()
    #expect(try reading.text() == "abx")
  }

  @Test("a worker reads end of file after its input, and unread input is still counted")
  func finish() throws {
    append("abc")
    try input.push()
    input.finish()
    #expect(input.fd == nil)
    #expect(input.taken == 0)
    #expect(try reading.text(2) == "ab")
    #expect(input.taken == 2)
    #expect(try reading.text() == "c")
    #expect(try reading.text() == "")
    #expect(input.taken == 3)
    input.finish()
  }

  @Test("input for a worker that has closed is dropped")
  func broken() async {
    // In a process of its own: SIGPIPE would end this one, and others inherit that it is ignored.
    await #expect(processExitsWith: .success) {
      ignoreBrokenPipes()
      var ends: (reading: Descriptor, writing: Descriptor)? = try makePipe("worker")
      let input = WorkerInput(ends!.writing)
      ends = nil
      input.append { $0 += "abc".utf8 }
      try input.push()
      #expect(input.isBroken)
      #expect(input.isEmpty)
      #expect(input.written == 0)
      #expect(input.fd == nil)
    }
  }
}

import Glibc
import Testing

@testable import PipeIO

extension PipeOutput {
  fileprivate func write(_ text: String) throws -> Int {
    try Array(text.utf8).withUnsafeBytes { try write($0) }
  }
}

/// Makes stdout the write end of a pipe; returns the read end.
private func pipeStandardOutput() throws -> Descriptor {
  // The end of the process writes to stdout, which has no reader then.
  ignoreBrokenPipes()
  let (reading, writing) = try makePipe("test")
  try #require(dup2(writing.fd, STDOUT_FILENO) == STDOUT_FILENO)
  return reading
}

// Each test runs in a process of its own, because it replaces stdout.
@Suite("Output to a pipe")
struct PipeOutputTests {
  @Test("output knows how much its reader has read")
  func taken() async {
    await #expect(processExitsWith: .success) {
      let reading = try pipeStandardOutput()
      let output = try #require(PipeOutput())
      #expect(try output.write("abcd") == 4)
      #expect(output.written == 4)
      #expect(output.taken == 0)
      #expect(try reading.text(3) == "abc")
      #expect(output.taken == 3)
      #expect(try output.write("ef") == 2)
      #expect(output.taken == 3)
      #expect(try reading.text() == "def")
      #expect(output.taken == 6)
      #expect(!output.isBroken)
    }
  }

  @Test("output to a full pipe does not block, and continues once its reader has read")
  func full() async {
    await #expect(processExitsWith: .success) {
      let reading = try pipeStandardOutput()
      let output = try #require(PipeOutput(capacity: 1 << 16))
      let much = String(repeating: "a", count: 1 << 17)
      #expect(try output.write(much) == 1 << 16)
      #expect(try output.write(much) == 0)
      #expect(output.written == 1 << 16)
      #expect(try reading.text(1 << 16).utf8.count == 1 << 16)
      #expect(output.taken == 1 << 16)
      #expect(try output.write(much) == 1 << 16)
    }
  }

  @Test("output whose reader has closed is broken, and unread bytes do not count as read")
  func broken() async {
    await #expect(processExitsWith: .success) {
      var reading: Descriptor? = try pipeStandardOutput()
      let output = try #require(PipeOutput())
      #expect(try output.write("abcd") == 4)
      #expect(try reading?.text(1) == "a")
      reading = nil
      #expect(try output.write("ef") == 0)
      #expect(output.isBroken)
      #expect(output.written == 4)
      #expect(output.taken == 1)
    }
  }

  @Test("a read is reported to the process that watches for it")
  func watched() async {
    await #expect(processExitsWith: .success) {
      let reading = try pipeStandardOutput()
      let output = try #require(PipeOutput())
      _ = try output.write("abcd")
      guard case .reported(let watch) = try output.watchReads({ _ in }) else { throw Unexpected() }
      #expect(!watch.drain { _ in true })
      _ = try reading.text(1)
      #expect(watch.drain { _ in true })
      #expect(output.taken == 1)
    }
  }

  @Test("a reader gets end of file when output has finished, although stdout stays open")
  func finish() async {
    await #expect(processExitsWith: .success) {
      var reading: Descriptor? = try pipeStandardOutput()
      let output = try #require(PipeOutput())
      _ = try output.write("a")
      #expect(try reading?.text() == "a")
      let downstream = try #require(output.finish())
      #expect(try reading?.text() == "")
      #expect(fcntl(STDOUT_FILENO, F_GETFD) >= 0)
      #expect(!downstream.isOver)
      reading = nil
      #expect(downstream.isOver)
    }
  }

  @Test("stdout that is not a pipe has no pipe output")
  func others() async {
    await #expect(processExitsWith: .success) {
      let file = open("/dev/null", O_WRONLY)
      dup2(file, STDOUT_FILENO)
      #expect(PipeOutput() == nil)
    }
  }
}

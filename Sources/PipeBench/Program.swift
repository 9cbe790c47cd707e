internal import CPipeIO
internal import Glibc
internal import PipeIO
internal import PipeTime

/// A run of `pipe`, or of a program beside it, with pipes to its stdin and from its stdout.
struct Program: ~Copyable {
  private let worker: Worker
  private let name: String
  private let input: Int32
  private let output: Int32
  private var buffer: [UInt8] = []

  /// `input`: becomes its stdin; nil: `write` goes there.
  init(_ words: [String], input file: Int32? = nil) throws(Fault) {
    let (toIt, fromIt) = (try Program.openPipe(), try Program.openPipe())
    enlargePipe(fromIt.read)
    let streams = WorkerStreams(input: file ?? toIt.read, output: fromIt.write)
    let started = try Command(words, without: Program.settings).running(streams)
    worker = started
    (input, output) = (toIt.write, fromIt.read)
    name = words[0] == Program.pipe ? "pipe \(words[1])" : words[0]
    close(toIt.read)
    close(fromIt.write)
  }

  /// This program.
  static let pipe = "/proc/self/exe"

  /// Variables that would change what the programs do.
  static let settings = ["PIPE_QUEUE", "PIPE_LOG_FORMAT", "PIPE_KEY"]

  private static func openPipe() throws(Fault) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    if cpipe_pipe(&ends) != 0 { throw Fault("open", "pipe") }
    return (ends[0], ends[1])
  }

  func write(_ line: [UInt8]) throws(Fault) {
    if retryingInterrupts({ Glibc.write(input, line, line.count) }) != line.count {
      throw Fault("write", "\(name): stdin")
    }
  }

  /// Blocks until it has written a whole line.
  mutating func readLine() throws(Fault) -> [UInt8] {
    while true {
      if let end = buffer.firstIndex(of: 0x0a) {
        defer { buffer.removeFirst(end + 1) }
        return Array(buffer[..<end])
      }
      if try read() == 0 { throw Fault(.inputOutput, "\(name): ended too early") }
    }
  }

  private mutating func read() throws(Fault) -> Int {
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = retryingInterrupts { Glibc.read(output, &bytes, bytes.count) }
    if count < 0 { throw Fault("read", "\(name): stdout") }
    buffer += bytes.prefix(count)
    return count
  }

  /// Reads its output to the end, and waits until it has exited with 0.
  consuming func finish() throws(Fault) {
    close(input)
    while try read() > 0 { buffer.removeAll(keepingCapacity: true) }
    close(output)
    if worker.wait() != .exited(0) { throw Fault(.inputOutput, "\(name): failed") }
  }

  /// Ends a program that otherwise waits for more.
  consuming func stop() throws(Fault) {
    worker.terminate()
    try finish()
  }
}

extension Command {
  func running(_ streams: WorkerStreams) throws(Fault) -> Worker {
    switch try start(streams, keeping: nil, settings: [], inForeground: false) {
    case .running(let worker): return worker
    case .refused(let reason): throw Fault(.unavailable, reason)
    }
  }
}

internal import Glibc
package import PipeIO
internal import PipeText
internal import PipeTime

/// Measures on a disk what `pipe` reaches beside what the disk and the system allow without it, in turns.
package final class Bench {
  /// One piece of work, done by `pipe` and by the least that could do it.
  package enum Work: String, CaseIterable {
    case enqueue, consume
    case claims = "consume --size 1"
    case commands = "consume -j 2 -- true"
    case receipt = "a line to its receipt"
    case handOver = "a line to a consumer"
    case process = "a process per line"
    case status = "status ID"

    /// Measured in items per second; otherwise in seconds for one item.
    package var isRate: Bool {
      switch self {
      case .enqueue, .consume, .claims, .commands: true
      case .receipt, .handOver, .process, .status: false
      }
    }

    package var limit: String {
      switch self {
      case .enqueue: "flush per 1,000"
      case .consume: "cat"
      case .claims: "2 renames"
      case .commands: "starting true"
      case .receipt, .handOver: "write, flush"
      case .process: "true, flush"
      case .status: "true"
      }
    }
  }

  /// The results of all rounds.
  package struct Result {
    package let work: Work
    fileprivate(set) package var pipe: [Double] = []
    fileprivate(set) package var limit: [Double] = []

    /// What `pipe` reaches of the limit, by the medians.
    package var share: Double {
      let (pipe, limit) = (median(pipe), median(limit))
      return work.isRate ? pipe / limit : limit / pipe
    }
  }

  package private(set) var results = Work.allCases.map { Result(work: $0) }
  /// Seconds of each flush of one line.
  package private(set) var flushes: [Double] = []

  private let scratch: ScratchDirectory
  private let signals: SignalQueue

  /// Records of 205 bytes, as in Tests/Benchmarks.
  private static let line = Array(
    (#"{"order":1234567,"note":""# + String(repeating: "x", count: 178) + "\"}\n").utf8)
  private static let many = 100_000
  private static let some = 20_000
  private static let few = 2000
  private static let linesPerFlush = 1000

  package init(in place: String) throws(Fault) {
    signals = try SignalQueue([SIGINT, SIGTERM, SIGHUP])
    ignoreBrokenPipes()
    scratch = try ScratchDirectory(in: place, prefix: "pipe-bench")
  }

  package func remove() throws(Fault) { try scratch.remove() }

  /// Does each work once by `pipe` and once without. `report`: called before each work. Returns false if a
  /// signal has asked to stop.
  package func round(_ report: (Work) -> Void) throws(Fault) -> Bool {
    let startsWithLimit = results[0].pipe.count % 2 == 1
    try pipe("init")
    for index in results.indices {
      if signals.take() != nil { return false }
      let work = results[index].work
      report(work)
      // In turns: a disk may become slower or faster meanwhile.
      if startsWithLimit { results[index].limit.append(try limit(of: work)) }
      results[index].pipe.append(try reach(work))
      if !startsWithLimit { results[index].limit.append(try limit(of: work)) }
    }
    try removeTree(queue)
    return true
  }

  /// What `pipe` reaches. Each work leaves the queue empty, except `enqueue`, whose lines `consume` takes.
  private func reach(_ work: Work) throws(Fault) -> Double {
    switch work {
    case .enqueue:
      let lines = try lines(Bench.many)
      return try rate(Bench.many) { () throws(Fault) in try enqueue(lines) }
    case .consume:
      return try rate(Bench.many) { () throws(Fault) in try pipe("consume") }
    case .claims:
      try enqueue(try lines(Bench.some))
      return try rate(Bench.some) { () throws(Fault) in try pipe("consume", "--size", "1") }
    case .commands:
      try enqueue(try lines(Bench.few))
      return try rate(Bench.few) { () throws(Fault) in
        try pipe("consume", "-j", "2", "--", "true")
      }
    case .receipt:
      var enqueue = try Program(words("enqueue", "--raw"))
      let time = try series { () throws(Fault) in
        try enqueue.write(Bench.line)
        _ = try enqueue.readLine()
      }
      try enqueue.finish()
      try pipe("consume")
      return time
    case .handOver:
      var consume = try Program(words("consume", "--follow"))
      let enqueue = try Program(words("enqueue", "--raw", "--quiet"))
      let time = try series { () throws(Fault) in
        try enqueue.write(Bench.line)
        _ = try consume.readLine()
      }
      try enqueue.finish()
      try consume.stop()
      return time
    case .process:
      let line = try lines(1)
      let time = try series { () throws(Fault) in
        line.rewind()
        try enqueue(line)
      }
      try pipe("consume")
      return time
    case .status:
      var enqueue = try Program(words("enqueue", "--raw"))
      try enqueue.write(Bench.line)
      // {"ingestion_id":"…"}
      let id = String(decoding: try enqueue.readLine().dropFirst(17).prefix(26), as: UTF8.self)
      try enqueue.finish()
      return try series { () throws(Fault) in try pipe("status", id) }
    }
  }

  /// What the system and the disk allow.
  private func limit(of work: Work) throws(Fault) -> Double {
    switch work {
    case .enqueue: return try rate(Bench.many, appendAll)
    case .consume:
      try appendAll()
      return try rate(Bench.many) { () throws(Fault) in try Program(["cat", bulk]).finish() }
    case .claims: return try rate(Bench.some, renameOften)
    case .commands: return try rate(Bench.few, startOften)
    case .receipt, .handOver:
      let file = try newFile()
      return try series { () throws(Fault) in flushes.append(try flush(file)) }
    case .process:
      let file = try newFile()
      return try series { () throws(Fault) in
        try Program(["true"]).finish()
        flushes.append(try flush(file))
      }
    case .status: return try series { () throws(Fault) in try Program(["true"]).finish() }
    }
  }
}

// Times.
extension Bench {
  /// Items per second.
  private func rate(_ items: Int, _ body: () throws(Fault) -> Void) throws(Fault) -> Double {
    Double(items) / (try seconds(body))
  }

  private func seconds(_ body: () throws(Fault) -> Void) throws(Fault) -> Double {
    let start = Clock.steady()
    try body()
    return max(1e-6, (Clock.steady() - start).seconds)
  }

  /// The median of up to 300 runs in a second, and of three at least. The first run, in which programs start,
  /// does not count.
  private func series(_ body: () throws(Fault) -> Void) throws(Fault) -> Double {
    try body()
    var times: [Double] = []
    let end = Clock.steady() + .seconds(1)
    while times.count < 3 || times.count < 300 && Clock.steady() < end {
      times.append(try seconds(body))
    }
    return median(times)
  }
}

// What `pipe` does.
extension Bench {
  private var queue: String { scratch.path + "/queue" }

  private func words(_ verb: String, _ words: String...) -> [String] {
    [Program.pipe, verb, "-q", queue] + words
  }

  private func pipe(_ verb: String, _ words: String...) throws(Fault) {
    try Program(self.words(verb) + words).finish()
  }

  private func enqueue(_ lines: borrowing MemoryFile) throws(Fault) {
    try Program(words("enqueue", "--raw", "--quiet"), input: lines.fd).finish()
  }

  private func lines(_ count: Int) throws(Fault) -> MemoryFile {
    try MemoryFile.holding(Array(repeatElement(Bench.line, count: count).joined()))
  }
}

// What could not be done with less.
extension Bench {
  private var bulk: String { scratch.path + "/bulk" }

  private func newFile() throws(Fault) -> Descriptor {
    let fd = open(bulk, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
    if fd < 0 { throw Fault("create", bulk) }
    return Descriptor(owning: fd, path: bulk)
  }

  private func appendAll() throws(Fault) {
    let file = try newFile()
    let lines = Array(repeatElement(Bench.line, count: Bench.linesPerFlush).joined())
    for _ in 0..<Bench.many / Bench.linesPerFlush {
      try file.append(lines)
      try file.flushData()
    }
  }

  private func flush(_ file: Descriptor) throws(Fault) -> Double {
    try file.append(Bench.line)
    return try seconds { () throws(Fault) in try file.flushData() }
  }

  // A claim and its acknowledgement.
  private func renameOften() throws(Fault) {
    _ = try newFile()
    let other = bulk + ".claim"
    for _ in 0..<Bench.some {
      if rename(bulk, other) != 0 || rename(other, bulk) != 0 { throw Fault("rename", bulk) }
    }
  }

  // Two at a time.
  private func startOften() throws(Fault) {
    let command = Command(["true"], without: [])
    let input = try MemoryFile()
    let streams = WorkerStreams(input: input.fd)
    var before = try command.running(streams)
    for _ in 1..<Bench.few {
      let next = try command.running(streams)
      _ = before.wait()
      before = next
    }
    _ = before.wait()
  }
}

/// 0 if there are none.
func median(_ values: [Double]) -> Double { percentile(values, 0.5) }

/// The smallest value that this share of the values does not exceed; 0 if there are none.
func percentile(_ values: [Double], _ share: Double) -> Double {
  let sorted = values.sorted()
  return sorted.isEmpty ? 0 : sorted[max(0, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
}

/// The results, as a table and as JSON.
package struct BenchText {
  private let results: [Bench.Result]
  private let flushes: [Double]

  /// An interrupted round has not measured all.
  package init(_ bench: Bench) {
    results = bench.results.filter { !$0.pipe.isEmpty && !$0.limit.isEmpty }
    flushes = bench.flushes
  }

  /// Medians of all rounds.
  package var text: String {
    var text = ""
    if !flushes.isEmpty {
      let slow = inUnits(percentile(flushes, 0.99))
      text = "A flush takes \(inUnits(median(flushes))); one in 100 takes \(slow) or more.\n\n"
    }
    let table = TextTable(
      [
        .init("work", 22), .init("pipe", 12, isNumber: true), .init("limit", 12, isNumber: true),
        .init("share", 6, isNumber: true), .init("what limits"),
      ], width: 80)
    text += table.head + "\n"
    for result in results {
      let (pipe, limit) = (median(result.pipe), median(result.limit))
      let share = "\(Int((result.share * 100).rounded())) %"
      text +=
        table.row(
          [result.work.rawValue] + [pipe, limit].map(result.work.shown) + [
            share, result.work.limit,
          ])
        + "\n"
    }
    return text
  }

  /// `{"work":"enqueue","unit":"items/s","pipe":512000,"limit":720000,"share":0.711,"rounds":5}`
  package var json: String {
    results.map { result in
      let (pipe, limit) = (median(result.pipe), median(result.limit))
      return
        "{\"work\":\"\(result.work.rawValue)\",\"unit\":\"\(result.work.isRate ? "items/s" : "s")\","
        + "\"pipe\":\(result.work.number(pipe)),\"limit\":\(result.work.number(limit)),"
        + "\"share\":\(fixed(result.share, 3)),\"rounds\":\(result.pipe.count)}\n"
    }.joined()
  }
}

extension Bench.Work {
  fileprivate func shown(_ value: Double) -> String { isRate ? pace(value, "") : inUnits(value) }

  fileprivate func number(_ value: Double) -> String { fixed(value, isRate ? 0 : 6) }
}

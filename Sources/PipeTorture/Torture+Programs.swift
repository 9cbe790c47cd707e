internal import Glibc
internal import PipeIO
internal import PipeTime

// What programs do, and what their output means.
extension Torture {
  func start(_ program: ProgramRun) throws(Fault) {
    let words = try words(for: program)
    (program.deliveriesBefore, program.started) = (oracle.deliveries, Clock.steady())
    try program.start(words, errors: program.role == .serve ? nil : errors.fd)
    running.append(program)
    calls.programs.insert(program.process)
    program.name = "pipe " + words.filter { !$0.hasPrefix("/") }.joined(separator: " ")
    try log("\(program.process) begins: \(words.joined(separator: " "))")
  }

  private func words(for program: ProgramRun) throws(Fault) -> [String] {
    let size = String(1 + program.random.below(12))
    switch program.role {
    case .enqueueRaw:
      for _ in 0..<program.random.scattered(to: 400) {
        send(oracle.newItem(isID: false), by: program)
      }
      program.target = program.random.choose([intake, queue])
      return ["enqueue", "--raw", "-q", program.target]
    case .enqueueLines:
      try prepareLines(for: program)
      return ["enqueue", "-q", program.target]
    case .serve: return ["serve", "-q", program.random.choose([intake, queue]), "--port", "0"]
    case .consume: return ["consume", "-q", queue]
    case .consumeSingly: return ["consume", "-q", queue, "--size", size, "-n", size]
    case .follow: return ["consume", "-q", queue, "--size", size, "--follow"]
    case .command: return ["consume", "-q", queue, "--size", size, "--", "cat"]
    case .failingCommand: return ["consume", "-q", queue, "--size", size, "-n", "9", "--", "false"]
    case .batch: return ["batch", "-q", queue, "--hold", "3s", "--size", size, "-n", "1"]
    case .settle: return ["ack", "-q", queue, program.claim!.token]
    case .sendBack: return ["ack", "--retry", "-q", queue, program.claim!.token]
    case .bury: return ["ack", "--bury", "-q", queue, program.claim!.token]
    case .revive: return ["retry", "--all", "-q", queue]
    case .cancel: return ["cancel", "--yes", "-q", queue] + someIDs(&program.random)
    case .move:
      let priority = program.random.choose(["high", "medium", "low"])
      return ["change", "--priority", priority, "-q", queue] + someIDs(&program.random)
    case .delay: return ["change", "--delay", "2s", "-q", queue] + someIDs(&program.random)
    case .route: return ["route", "-q", intake, "--to", queue]
    case .fsck: return ["fsck", "--json", "-q", program.random.choose([intake, queue])]
    case .prune: return ["prune", "-q", program.random.choose([intake, queue])]
    case .stats: return ["stats", "-q", queue]
    }
  }

  /// Ids of entries that were stored recently.
  private func someIDs(_ random: inout SeededRandom) -> [String] {
    let chosen = stored.filter { _ in random.below(3) == 0 }
    // An id that no entry has, for a queue without entries.
    return chosen.isEmpty ? ["01KB8C3V5DQH6YB4W9D1T2R8ZN"] : chosen
  }

  private func send(_ number: Int, by program: ProgramRun) {
    program.lines.append([number])
    program.input += Array((Oracle.record(number) + "\n").utf8)
  }

  /// Prune forgets ids after `--retain`, so lines are sent again only for a shorter time.
  private static let resendLimit = TimeSpan.seconds(10)

  /// New entries of both kinds with ids and priorities, or those that an earlier program got no receipt for.
  private func prepareLines(for program: ProgramRun) throws(Fault) {
    unanswered.removeAll { Clock.steady() - $0.sent > Torture.resendLimit }
    if let last = unanswered.popLast() {
      (program.lines, program.input) = (last.lines, last.input)
      (program.target, program.sent) = (last.target, last.sent)
      return
    }
    program.target = program.random.choose([intake, queue])
    let maker = try linesWithIDs(&program.random)
    (program.lines, program.input) = (maker.lines, maker.output)
  }

  /// The run of `ingest` that gives new lines ids.
  private func linesWithIDs(_ random: inout SeededRandom) throws(Fault) -> ProgramRun {
    let maker = ProgramRun(.enqueueLines, random.fork())
    for _ in 0..<random.scattered(to: 200) {
      if random.below(3) > 0 {
        send(oracle.newItem(isID: false), by: maker)
      } else {
        let ids = (0...random.below(9)).map { _ in oracle.newItem(isID: true) }
        let list = ids.map(String.init).joined(separator: ",")
        let priority = random.choose(["HIGH", "MEDIUM", "LOW"])
        maker.lines.append(ids)
        maker.input += Array(#"{"ids":[\#(list)],"priority":"\#(priority)"}"#.utf8) + [0x0a]
      }
    }
    try runToEnd(maker, ["ingest"])
    return maker
  }

  /// Judges the lines that a program has written so far.
  func judgeOutput(of program: ProgramRun) throws(Fault) {
    switch program.role {
    case .enqueueRaw, .enqueueLines:
      for line in program.takeLines() where program.receipts < program.lines.count {
        oracle.accept(program.lines[program.receipts])
        program.receipts += 1
        if program.target == queue, let id = line.after(#""ingestion_id":""#)?.prefix(26) {
          stored = stored.suffix(29) + [String(id)]
        }
      }
    case .serve:
      let url = "http://127.0.0.1:"
      for line in program.takeLines() {
        try errors.append(Array("\(line)\n".utf8))
        guard let rest = line.after(url) else { continue }
        program.port = UInt16(rest.prefix { $0.isNumber })
        post(to: program)
      }
    case .consume, .consumeSingly, .follow, .command:
      for line in program.takeLines() {
        if let number = oracle.deliver(line) { program.delivered.append(number) }
      }
    case .batch:
      for line in program.takeLines() { try judgeBatch(line, program) }
    case .fsck:
      // After kills and power cuts, the register may list items that are ready again, and segments have holes
      // where lines were not flushed; the oracle knows which lines had receipts.
      let usual = ["segments/", "register/"].map { #"{"path":"\#($0)"# }
      for line in program.takeLines()
      where line.after(#""finding":"#) != nil && !usual.contains(where: line.hasPrefix) {
        try breach("fsck: \(line)")
      }
    default: _ = program.takeLines()
    }
  }

  /// Posts new lines, or ends the gateway after some requests.
  private func post(to gateway: ProgramRun) {
    gateway.requests += 1
    guard let port = gateway.port, gateway.requests <= 4 else { return gateway.signal(SIGTERM) }
    (gateway.lines, gateway.input, gateway.receipts) = ([], [], 0)
    for _ in 0..<gateway.random.scattered(to: 200) {
      send(oracle.newItem(isID: false), by: gateway)
    }
    gateway.client = IngestRequest(port: port, body: gateway.input)
    if gateway.client == nil { gateway.signal(SIGTERM) }
  }

  func proceed(_ gateway: ProgramRun) {
    guard let client = gateway.client else { return }
    let isOpen = client.proceed()
    let receipts = min(client.receipts, gateway.lines.count)
    for line in gateway.lines[gateway.receipts..<receipts] { oracle.accept(line) }
    gateway.receipts = receipts
    if !isOpen {
      gateway.client = nil
      post(to: gateway)
    }
  }

  // {"claim":"TOKEN","attempt":1,"items":[{"id":…,"data":ITEM},…]}
  private func judgeBatch(_ line: Substring, _ holder: ProgramRun) throws(Fault) {
    let parts = line.split(separator: "\"", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 5, parts[1] == "claim", line.hasSuffix("}]}") else {
      return try breach("pipe batch: malformed batch line: \(line.prefix(200))")
    }
    let data = "\"data\":"
    let isLate = Clock.steady() - holder.started > .seconds(2)
    var items: [Int] = []
    var rest = line[...].dropLast(2)
    while let next = rest.after(data) {
      rest = next
      let end =
        rest.first == "{"
        ? rest.firstIndex(of: "}").map(rest.index(after:)) : rest.firstIndex(of: "}")
      guard let end else {
        return try breach("pipe batch: item without an end: \(line.prefix(200))")
      }
      if let number = oracle.deliver(rest[..<end], isLate: isLate) { items.append(number) }
      rest = rest[end...]
    }
    var random = holder.random.fork()
    let program = ProgramRun(random.choose([.settle, .settle, .sendBack, .bury]), random)
    program.mishap = random.below(3) == 0 ? Mishap(&random) : nil
    holder.delivered += items
    program.claim = (String(parts[3]), items, oracle.deliveries)
    waiting.append(program)
  }

  func recordExit(of program: ProgramRun) throws(Fault) {
    program.closeListener()
    calls.programs.remove(program.process)
    try judgeOutput(of: program)
    let isWell = program.exitStatus == 0
    let ending =
      switch program.ending! {
      case .exited(let status): "status \(status)"
      case .killed(let signal): "signal \(signal)"
      }
    try log(
      "\(program.process) ends with \(ending): \(program.receipts) receipts,"
        + " sent \(program.lines), delivered \(program.delivered)")
    if case .killed(let signal) = program.ending, ![SIGKILL, SIGTERM].contains(signal) {
      try breach("\(program.name) died of signal \(signal)")
    }
    if let status = program.exitStatus, [64, 70].contains(status) {
      try breach("\(program.name) exited with status \(status)")
    }
    switch program.role {
    case .enqueueLines where program.receipts < program.lines.count:
      unanswered.append(program)
    case .consume, .consumeSingly, .follow, .command:
      if isWell { oracle.settle(program.delivered) }
    case .settle:
      if isWell { oracle.settle(program.claim!.items) }
    case .sendBack, .bury:
      if isWell { oracle.sendBack(program.claim!.items, since: program.deliveriesBefore) }
    default: break
    }
  }
}

extension Substring {
  /// What follows the first occurrence of `text`; nil if there is none.
  fileprivate func after(_ text: String) -> Substring? {
    let found = utf8.indices.first { utf8[$0...].starts(with: text.utf8) }
    return found.map { self[utf8.index($0, offsetBy: text.utf8.count)...] }
  }
}

internal import CPipeTorture
internal import Glibc
package import PipeIO
package import PipeTime

/// Tortures queues in a new directory: programs enqueue, consume, route and examine while they are killed and
/// stopped, their calls fail, the disk fills up and the power is cut. At the end everything is consumed,
/// and the oracle compares what came out with what was accepted.
package final class Torture {
  package internal(set) var tally = Tally()
  private let scratch: ScratchDirectory
  private let root: String
  let errors: Descriptor
  /// The starts and ends of programs and the power cuts, for a search for the cause of a broken promise.
  private let events: Descriptor
  private var random: SeededRandom
  var oracle = Oracle()
  var calls: SupervisedCalls
  private let signals: SignalQueue
  private var isInterrupted = false

  private var mix: Life.Mix
  private var life: Life
  var running: [ProgramRun] = []
  var waiting: [ProgramRun] = []
  private var callsOfLife = 0
  /// Programs whose lines with ids did not all get a receipt. Another program sends the lines again: a line
  /// with a known id is stored once.
  var unanswered: [ProgramRun] = []
  /// Ids of the entries in `queue` that got the last receipts.
  var stored: [String] = []

  /// `isLying`: flushes do nothing, as on a disk that lies.
  package init(in place: String, seed: UInt64, isLying: Bool) throws(Fault) {
    random = SeededRandom(seed: seed)
    // Replaced by the first life: the queues are created without faults.
    mix = Life.Mix(&random)
    life = Life(mix, &random)
    signals = try SignalQueue([SignalQueue.child, SIGINT, SIGTERM, SIGHUP])
    ignoreBrokenPipes()
    umask(0)
    scratch = try ScratchDirectory(in: place, prefix: "pipe-torture")
    root = scratch.path + "/disk"
    if mkdir(root, 0o700) != 0 { throw Fault("create", root) }
    errors = try Torture.logFile(scratch.path + "/diagnostics")
    events = try Torture.logFile(scratch.path + "/events")
    calls = SupervisedCalls(disk: try DiskModel(root))
    calls.isLying = isLying
    do throws(Fault) { try createQueues() } catch {
      try? remove()
      throw error
    }
    calls.disk = try DiskModel(root)
  }

  private func createQueues() throws(Fault) {
    for queue in [intake, queue] {
      let created = try unsupervised(
        [
          "init", "-q", queue, "--retries", "1000", "--backoff", "1s..1s", "--retain", "30s",
          "--min-free", "0",
        ])
      if created.exitStatus != 0 {
        throw Fault(.cannotCreate, lastDiagnostic)
      }
    }
  }

  private var lastDiagnostic: String {
    let lines = String(decoding: bytesOfFile(errors.path) ?? [], as: UTF8.self).split(
      separator: "\n")
    return lines.last.map(String.init) ?? "no diagnostics"
  }

  private static func logFile(_ path: String) throws(Fault) -> Descriptor {
    let fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    if fd < 0 { throw Fault("create", path) }
    return Descriptor(owning: fd, path: path)
  }

  /// Notes a broken promise, which the verdict shows.
  func breach(_ text: String) throws(Fault) {
    tally.breach(text)
    try log("broken: " + text)
  }

  func log(_ text: String) throws(Fault) {
    try events.append(Array("\(tally.lives) \(text)\n".utf8))
  }

  /// Where the queues are. It exists until `remove`.
  package var directory: String { scratch.path }
  var queue: String { root + "/queue" }
  /// The queue from which `route` moves entries to `queue`. No consumer reads it, because `route` moves whole
  /// entries.
  var intake: String { root + "/intake" }

  /// Runs lives until `deadline` or a signal that asks to stop, then consumes what is left. `report` is
  /// called after events.
  package func run(until deadline: SteadyInstant, _ report: (Tally) -> Void) throws(Fault) {
    while goesOn(until: deadline) {
      if tally.lives % Life.Mix.lives == 0 { mix = Life.Mix(&random) }
      life = Life(mix, &random)
      do throws(Fault) { try live(until: deadline, report) } catch {
        for program in running { program.signal(SIGKILL) }
        throw error
      }
      if oracle.accepted > 0, tally.calls == 0 { throw ProgramRun.forbidden }
    }
    try drainQueues()
    tally.take(oracle)
  }

  // A short run goes on until there is something to judge.
  private func goesOn(until deadline: SteadyInstant) -> Bool {
    !isInterrupted && (Clock.steady() < deadline || oracle.accepted == 0)
  }

  /// Removes the directory.
  package func remove() throws(Fault) {
    try scratch.remove()
  }
}

// One life of the machine.
extension Torture {
  private static let mostAtOnce = 4
  /// After this time without an event, stopped programs continue.
  private static let quietTime = TimeSpan.milliseconds(100)
  /// After this time without an event, the programs hang.
  private static let hangTimeout = TimeSpan.seconds(60)

  private func live(until deadline: SteadyInstant, _ report: (Tally) -> Void) throws(Fault) {
    tally.lives += 1
    callsOfLife = 0
    calls.limit = life.room.map { calls.disk.used + $0 }
    if life.room != nil { tally.smallDisks += 1 }
    waiting = life.programs.reversed().map { plan in
      let program = ProgramRun(plan.role, plan.random)
      program.mishap = plan.mishap
      return program
    }
    var lastEvent = Clock.steady()
    var isIdle = false
    // Not before programs that may hang have had their time.
    while !isOver, goesOn(until: deadline) || isIdle && !isInterrupted {
      while running.count < Torture.mostAtOnce, !isRewriting, let next = waiting.popLast() {
        try start(next)
      }
      if running.isEmpty { break }
      if try wait(until: Clock.steady() + Torture.quietTime) {
        lastEvent = Clock.steady()
        isIdle = false
        tally.accepted = oracle.accepted
        report(tally)
      } else if !wake() {
        isIdle = true
        if Clock.steady() - lastEvent > Torture.hangTimeout {
          for program in running { try breach("\(program.name) hangs") }
          break
        }
      }
    }
    try endLife()
  }

  private var isOver: Bool { callsOfLife >= life.endsAtCall && !isRewriting }

  // A program whose flush failed writes its lines once more, undisturbed, as pipe-queue(5) assumes.
  private var isRewriting: Bool { running.contains { $0.isRewriting && $0.ending == nil } }

  // Continues stopped programs, and ends those that would wait for ever. Returns whether there was one.
  private func wake() -> Bool {
    var hasWoken = false
    for program in running where program.isStopped {
      program.isStopped = false
      program.signal(SIGCONT)
      hasWoken = true
    }
    if hasWoken { return true }
    for program in running where [.follow, .serve].contains(program.role) && !program.isAskedToEnd {
      program.isAskedToEnd = true
      program.signal(SIGTERM)
      hasWoken = true
    }
    return hasWoken
  }

  /// Kills all programs, and cuts the power if this life ends with a power cut.
  private func endLife() throws(Fault) {
    if life.isCut { tally.powerCuts += 1 } else if !running.isEmpty { tally.crashes += 1 }
    for program in running {
      program.signal(SIGKILL)
      program.closeListener()
    }
    // Commands of consumers end with their input.
    while !running.isEmpty { _ = try wait(until: nil) }
    calls.limit = nil
    // These programs never start, so the claims that they were to settle end, and the items come again.
    for program in waiting {
      if let claim = program.claim { oracle.sendBack(claim.items, since: claim.deliveries) }
    }
    waiting = []
    if life.isCut {
      try calls.disk.cut(root, &life.random)
      try log("power cut")
    }
  }

  // Waits for events and handles them. Returns false if none came.
  private func wait(until deadline: SteadyInstant?) throws(Fault) -> Bool {
    var poller = Poller()
    let signal = poller.watch(signals.fd)
    // Also for stopped programs: one may wait in a call that it made before the signal.
    let watched = running.map { program in
      (
        program, program.listener >= 0 ? poller.watch(program.listener) : nil,
        program.stdout >= 0 ? poller.watch(program.stdout) : nil,
        program.client.map { poller.watch($0.fd, for: $0.isSending ? .writing : .reading) }
      )
    }
    try poller.wait(until: deadline)
    var hasEvent = false
    if poller.isReady(signal) {
      while let number = signals.take() {
        if number == SIGCHLD { reap() } else { isInterrupted = true }
      }
      hasEvent = true
    }
    for (program, listener, output, client) in watched {
      if let listener, poller.isReady(listener), program.listener >= 0 {
        hasEvent = true
        answer(program, hasHungUp: poller.isBroken(listener))
      }
      if let output, poller.isReady(output) {
        hasEvent = true
        program.read()
        try judgeOutput(of: program)
      }
      if let client, poller.isReady(client) {
        hasEvent = true
        proceed(program)
      }
    }
    for program in running where program.hasEnded { try recordExit(of: program) }
    running.removeAll { $0.hasEnded }
    return hasEvent
  }

  private func reap() {
    while let (process, change) = Worker.change() {
      guard case .ended(let ending) = change else { continue }
      for program in running where program.process == process { program.ending = ending }
    }
  }

  private func answer(_ program: ProgramRun, hasHungUp: Bool) {
    var call = cpipe_call()
    if cpipe_receive_call(program.listener, &call) != 0 {
      if hasHungUp { program.closeListener() }
      return
    }
    var after: Int32?
    calls.answer(call, of: program.process, program.listener) { decide(program, call.kind, &after) }
    if let after {
      if after == SIGSTOP { program.isStopped = true }
      program.signal(after)
    }
  }

  /// What is to happen to a call. `after`: the signal that the program gets then.
  private func decide(
    _ program: ProgramRun, _ kind: cpipe_call_kind, _ after: inout Int32?
  ) -> SupervisedCalls.Decision {
    callsOfLife += 1
    program.calls += 1
    tally.calls += 1
    if isOver { return .abandon }
    program.isRewriting = false
    if let failing = program.failing, failing.kind == kind {
      tally.failures += 1
      program.isRewriting = kind.isFlush
      return .fail(failing.code)
    }
    guard let mishap = program.mishap, program.calls >= mishap.call else { return .make }
    if case .short = mishap.kind, ![cpipe_call_write, cpipe_call_pwrite].contains(kind) {
      return .make
    }
    program.mishap = nil
    switch mishap.kind {
    case .killBefore:
      tally.kills += 1
      after = SIGKILL
      return .abandon
    case .killAfter:
      tally.kills += 1
      after = SIGKILL
    case .stop:
      tally.stops += 1
      after = SIGSTOP
    case .terminate:
      tally.stops += 1
      after = SIGTERM
    case .short(let part):
      tally.shortWrites += 1
      return .makePartly(part)
    case .fail(let code, let isLasting):
      tally.failures += 1
      if isLasting { program.failing = (kind, code) }
      program.isRewriting = kind.isFlush
      return .fail(code)
    }
    return .make
  }
}

extension cpipe_call_kind {
  fileprivate var isFlush: Bool {
    [cpipe_call_fsync, cpipe_call_fdatasync, cpipe_call_syncfs].contains(self)
  }
}

// Programs without faults.
extension Torture {
  /// Runs a program to its end. Its output is `output`.
  func runToEnd(_ program: ProgramRun, _ words: [String]) throws(Fault) {
    try program.start(words, isSupervised: false, errors: errors.fd)
    while program.stdout >= 0 {
      var poller = Poller()
      let output = poller.watch(program.stdout)
      try poller.wait(until: Clock.steady() + Torture.hangTimeout)
      if poller.isReady(output) {
        program.read()
      } else {
        try breach("pipe \(words[0]) hangs")
        program.signal(SIGKILL)
      }
    }
    program.waitForEnd()
  }

  @discardableResult
  private func unsupervised(_ words: [String], role: Life.Role = .stats) throws(Fault) -> ProgramRun
  {
    let program = ProgramRun(role, SeededRandom(seed: 0))
    try runToEnd(program, words)
    if program.exitStatus == ProgramRun.hadNoDescriptors {
      throw Fault("start", "pipe", code: EMFILE)
    }
    if program.exitStatus == ProgramRun.notStarted {
      throw Fault(.unavailable, "pipe cannot start itself; mount /proc")
    }
    return program
  }

  /// Moves and consumes everything, as a user would after a crash.
  private func drainQueues() throws(Fault) {
    for queue in [intake, queue] {
      let check = try unsupervised(["fsck", "--json", "-q", queue], role: .fsck)
      try judgeOutput(of: check)
      // The repair keeps what is intact; the rest counts as lost.
      if check.exitStatus != 0 { try unsupervised(["fsck", "-q", queue, "--repair"]) }
    }
    var last: [String: Int32] = [:]
    // Each twice: the first run may report lines that a power cut has left without their bytes, and then
    // exits with another status. The oracle counts what the second `consume` delivers as doubled.
    let route = ["route", "-q", intake, "--to", queue]
    let retry = ["retry", "--all", "-q", queue]
    let consume = ["consume", "-q", queue, "--until-done"]
    for words in [route, route, retry, consume, consume] {
      let run = try unsupervised(words, role: words == consume ? .consume : .stats)
      try judgeOutput(of: run)
      oracle.settle(run.delivered)
      last[words[0]] = run.exitStatus ?? -1
    }
    for (command, status) in last where ![0, 1].contains(status) {
      let text = "the last pipe \(command) exited with status \(status): \(lastDiagnostic)"
      // Only a disk that lies may leave a queue that cannot be drained.
      guard calls.isLying else { throw Fault(.tryLater, text) }
      try breach(text)
    }
  }
}

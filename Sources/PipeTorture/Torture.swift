internal import CPipeTorture
internal import Glibc
package import PipeIO
package import PipeTime

/// Tortures queues in a new directory: programs enqueue, consume, route and examine while they are killed and
/// stopped, their calls fail, the disk fills up and the power is cut. At the end everything is consumed,
/// and the oracle compares what came out with what was accepted.
package final class Torture {
  package private(set) var tally = Tally()
  /// Where the queues are. It exists until `remove`.
  package let directory: String
  private let root: String
  private let errors: Descriptor
  /// What happened, for a person who looks for the cause of a broken promise.
  private let events: Descriptor
  private var random: SeededRandom
  private var oracle = Oracle()
  private var calls: SupervisedCalls
  private let signals: SignalQueue
  private var isInterrupted = false

  private var life: Life
  private var running: [Actor] = []
  private var waiting: [Actor] = []
  private var callsOfLife = 0
  /// Programs that got no receipt for some lines with ids. They are sent again.
  private var unanswered: [Actor] = []

  /// `isLying`: flushes do nothing, as on a disk that lies.
  package init(in place: String, seed: UInt64, isLying: Bool) throws(Fault) {
    random = SeededRandom(seed: seed)
    life = Life(&random)
    signals = try SignalQueue([SignalQueue.child, SIGINT, SIGTERM, SIGHUP])
    ignoreBrokenPipes()
    umask(0)
    var template = Array((place + "/pipe-torture.XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw Fault("create", place + "/pipe-torture.XXXXXX") }
    directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    root = directory + "/disk"
    if mkdir(root, 0o700) != 0 { throw Fault("create", root) }
    errors = try Torture.log(directory + "/diagnostics")
    events = try Torture.log(directory + "/events")
    calls = SupervisedCalls(disk: try DiskModel(root))
    calls.isLying = isLying
    for queue in [intake, queue] {
      let created = try unsupervised(
        ["init", "-q", queue, "--retries", "1000", "--backoff", "1s..1s", "--retain", "1m"])
      if created.exitStatus != 0 {
        throw Fault(.cannotCreate, "cannot create a queue; see \(printable(errors.path))")
      }
    }
    calls.disk = try DiskModel(root)
  }

  private static func log(_ path: String) throws(Fault) -> Descriptor {
    let fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    if fd < 0 { throw Fault("create", path) }
    return Descriptor(owning: fd, path: path)
  }

  private func note(event text: String) throws(Fault) {
    try events.append(Array("\(tally.lives) \(text)\n".utf8))
  }

  private var queue: String { root + "/queue" }
  /// Entries that are routed to `queue`. Nobody consumes them here: route moves whole entries.
  private var intake: String { root + "/intake" }

  /// Runs lives until `deadline` or a signal that asks to stop, then consumes what is left.
  /// `report` is called now and then.
  package func run(until deadline: SteadyInstant, _ report: (Tally) -> Void) throws(Fault) {
    while goesOn(until: deadline) {
      life = Life(&random)
      try live(until: deadline, report)
    }
    try finish()
    judge()
  }

  // A short run goes on until there is something to judge.
  private func goesOn(until deadline: SteadyInstant) -> Bool {
    !isInterrupted && (Clock.steady() < deadline || oracle.accepted == 0)
  }

  /// Removes the directory.
  package func remove() throws(Fault) {
    try DiskModel.clear(directory)
    if rmdir(directory) != 0 { throw Fault("remove", directory) }
  }
}

// One life of the machine.
extension Torture {
  private static let mostAtOnce = 4
  /// Nobody makes a call for this long: those that rest are woken.
  private static let rest = TimeSpan.milliseconds(100)
  /// A program that makes no progress for this long hangs. A last resort.
  private static let patience = TimeSpan.seconds(180)

  private func live(until deadline: SteadyInstant, _ report: (Tally) -> Void) throws(Fault) {
    tally.lives += 1
    callsOfLife = 0
    calls.limit = life.room.map { calls.disk.used + $0 }
    if life.room != nil { tally.fullDisks += 1 }
    waiting = life.actors.reversed().map { plan in
      let actor = Actor(plan.form, plan.random)
      actor.mishap = plan.mishap
      return actor
    }
    var lastEvent = Clock.steady()
    while callsOfLife < life.endsAtCall, goesOn(until: deadline) {
      while running.count < Torture.mostAtOnce, let next = waiting.popLast() { try start(next) }
      if running.isEmpty { break }
      if try wait(until: Clock.steady() + Torture.rest) {
        lastEvent = Clock.steady()
        report(tally)
      } else if !wake() {
        if Clock.steady() - lastEvent > Torture.patience {
          for actor in running { tally.breach("\(actor.form) hangs") }
          break
        }
      }
    }
    try end()
  }

  // Continues stopped programs, and ends those that would wait for ever. Returns whether there was one.
  private func wake() -> Bool {
    var hasWoken = false
    for actor in running where actor.isStopped {
      actor.isStopped = false
      actor.signal(SIGCONT)
      hasWoken = true
    }
    if hasWoken { return true }
    for actor in running where [.follow, .serve].contains(actor.form) && !actor.isAskedToEnd {
      actor.isAskedToEnd = true
      actor.signal(SIGTERM)
      hasWoken = true
    }
    return hasWoken
  }

  /// Kills all processes, and cuts the power if this life ends so.
  private func end() throws(Fault) {
    if life.isCut { tally.powerCuts += 1 } else if !running.isEmpty { tally.crashes += 1 }
    for actor in running {
      actor.isDisturbed = true
      actor.signal(SIGKILL)
      actor.closeListener()
    }
    // Commands of consumers end with their input.
    while !running.isEmpty { _ = try wait(until: nil) }
    calls.limit = nil
    waiting = []
    if life.isCut {
      try calls.disk.cut(root, &life.random)
      try note(event: "power cut")
    }
  }

  // Waits for events and handles them. Returns false if none came.
  private func wait(until deadline: SteadyInstant?) throws(Fault) -> Bool {
    var poller = Poller()
    let signal = poller.watch(signals.fd)
    // A stopped program's calls are answered as well: only others wait for it.
    let watched = running.map { actor in
      (
        actor, actor.listener >= 0 ? poller.watch(actor.listener) : nil,
        actor.stdout >= 0 ? poller.watch(actor.stdout) : nil,
        actor.client.map { poller.watch($0.fd, for: $0.isSending ? .writing : .reading) }
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
    for (actor, listener, output, client) in watched {
      if let listener, poller.isReady(listener), actor.listener >= 0 {
        hasEvent = true
        answer(actor, hasHungUp: poller.isBroken(listener))
      }
      if let output, poller.isReady(output) {
        hasEvent = true
        _ = actor.read()
        note(actor)
      }
      if let client, poller.isReady(client) {
        hasEvent = true
        proceed(actor)
      }
    }
    for actor in running where actor.hasEnded { try conclude(actor) }
    running.removeAll { $0.hasEnded }
    return hasEvent
  }

  private func reap() {
    var status: Int32 = 0
    while true {
      let process = cpipe_ended(&status)
      guard process > 0 else { return }
      for actor in running where actor.process == process { actor.status = status }
    }
  }

  private func answer(_ actor: Actor, hasHungUp: Bool) {
    var call = cpipe_call()
    if cpipe_receive_call(actor.listener, &call) != 0 {
      if hasHungUp { actor.closeListener() }
      return
    }
    var after: Int32?
    calls.answer(call, actor.listener) { order(for: actor, call.kind.rawValue, &after) }
    if let after {
      actor.isDisturbed = true
      if after == SIGSTOP { actor.isStopped = true }
      actor.signal(after)
    }
  }

  /// What is to happen to a call. `after`: the signal that the program gets then.
  private func order(
    for actor: Actor, _ kind: UInt32, _ after: inout Int32?
  ) -> SupervisedCalls.Order {
    callsOfLife += 1
    actor.calls += 1
    tally.calls += 1
    if callsOfLife >= life.endsAtCall { return .abandon }
    if let failing = actor.failing, failing.kind == kind {
      tally.failures += 1
      return .fail(failing.code)
    }
    guard let mishap = actor.mishap, actor.calls >= mishap.call else { return .make }
    actor.mishap = nil
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
      actor.isDisturbed = true
      tally.failures += 1
      if isLasting { actor.failing = (kind, code) }
      return .fail(code)
    }
    return .make
  }
}

// What programs do, and what their output means.
extension Torture {
  private func start(_ actor: Actor) throws(Fault) {
    let words = try words(for: actor)
    try actor.start(words, errors: actor.form == .serve ? nil : errors.fd)
    running.append(actor)
    try note(event: "\(actor.process) begins: \(words.joined(separator: " "))")
  }

  private func words(for actor: Actor) throws(Fault) -> [String] {
    let size = String(1 + actor.random.below(12))
    switch actor.form {
    case .enqueueRaw:
      for _ in 0..<actor.random.scattered(to: 400) { send(oracle.newItem(isID: false), by: actor) }
      return ["enqueue", "--raw", "-q", actor.random.choose([intake, queue])]
    case .enqueueLines:
      try prepareLines(for: actor)
      return ["enqueue", "-q", actor.target]
    case .serve: return ["serve", "-q", actor.random.choose([intake, queue]), "--port", "0"]
    case .consume: return ["consume", "-q", queue]
    case .consumeSingly: return ["consume", "-q", queue, "--size", size, "-n", size]
    case .follow: return ["consume", "-q", queue, "--size", size, "--follow"]
    case .command: return ["consume", "-q", queue, "--size", size, "--", "cat"]
    case .fail: return ["consume", "-q", queue, "--size", size, "-n", "9", "--", "false"]
    case .hold: return ["batch", "-q", queue, "--hold", "3s", "--size", size, "-n", "1"]
    case .settle: return ["ack", "-q", queue, actor.claim!.token]
    case .sendBack: return ["ack", "--retry", "-q", queue, actor.claim!.token]
    case .bury: return ["ack", "--bury", "-q", queue, actor.claim!.token]
    case .revive: return ["retry", "--all", "-q", queue]
    case .route: return ["route", "-q", intake, "--to", queue]
    case .fsck: return ["fsck", "-q", actor.random.choose([intake, queue])]
    case .prune: return ["prune", "-q", actor.random.choose([intake, queue])]
    case .stats: return ["stats", "-q", queue]
    }
  }

  private func send(_ number: Int, by actor: Actor) {
    actor.lines.append([number])
    actor.input += Array((Oracle.record(number) + "\n").utf8)
  }

  /// New entries of both kinds with ids and priorities, or those that an earlier program got no receipt
  /// for.
  private func prepareLines(for actor: Actor) throws(Fault) {
    unanswered.removeAll { Clock.steady() - $0.sent > .seconds(20) }
    if let last = unanswered.popLast() {
      (actor.lines, actor.input) = (last.lines, last.input)
      (actor.target, actor.sent) = (last.target, last.sent)
      return
    }
    actor.target = actor.random.choose([intake, queue])
    let maker = Actor(.enqueueLines, actor.random)
    for _ in 0..<actor.random.scattered(to: 200) {
      if actor.random.below(3) > 0 {
        send(oracle.newItem(isID: false), by: maker)
      } else {
        let ids = (0...actor.random.below(9)).map { _ in oracle.newItem(isID: true) }
        let list = ids.map(String.init).joined(separator: ",")
        let priority = actor.random.choose(["HIGH", "MEDIUM", "LOW"])
        maker.lines.append(ids)
        maker.input += Array(#"{"ids":[\#(list)],"priority":"\#(priority)"}"#.utf8) + [0x0a]
      }
    }
    try complete(maker, ["ingest"])
    (actor.lines, actor.input) = (maker.lines, maker.output)
  }

  /// Judges the lines that a program has written so far.
  private func note(_ actor: Actor) {
    switch actor.form {
    case .enqueueRaw, .enqueueLines:
      for _ in actor.takeLines() where actor.receipts < actor.lines.count {
        oracle.accept(actor.lines[actor.receipts])
        actor.receipts += 1
      }
      tally.accepted = oracle.accepted
    case .serve:
      let url = "http://127.0.0.1:"
      for line in actor.takeLines() {
        guard let start = line.firstRange(of: url)?.upperBound else { continue }
        actor.port = UInt16(line[start...].prefix { $0.isNumber })
        post(to: actor)
      }
    case .consume, .consumeSingly, .follow, .command:
      for line in actor.takeLines() {
        if let number = oracle.deliver(line) { actor.delivered.append(number) }
      }
      tally.delivered = oracle.delivered
    case .hold:
      for line in actor.takeLines() { noteBatch(line, actor) }
    case .fsck:
      // A power cut leaves holes where lines were not flushed; the oracle knows which lines had receipts.
      for line in actor.takeLines() where tally.powerCuts == 0 || !line.hasPrefix("segments/") {
        tally.breach("fsck: \(line)")
      }
    default: _ = actor.takeLines()
    }
  }

  /// Posts new lines, or ends the gateway after some requests.
  private func post(to gateway: Actor) {
    gateway.requests += 1
    guard let port = gateway.port, gateway.requests <= 4 else { return gateway.signal(SIGTERM) }
    (gateway.lines, gateway.input, gateway.receipts) = ([], [], 0)
    for _ in 0..<gateway.random.scattered(to: 200) {
      send(oracle.newItem(isID: false), by: gateway)
    }
    gateway.client = Client(port: port, body: gateway.input)
    if gateway.client == nil { gateway.signal(SIGTERM) }
  }

  private func proceed(_ gateway: Actor) {
    guard let client = gateway.client else { return }
    let isOpen = client.proceed()
    let receipts = min(client.receipts, gateway.lines.count)
    for line in gateway.lines[gateway.receipts..<receipts] { oracle.accept(line) }
    gateway.receipts = receipts
    tally.accepted = oracle.accepted
    if !isOpen {
      gateway.client = nil
      post(to: gateway)
    }
  }

  // {"claim":"TOKEN","attempt":1,"items":[{"id":…,"data":ITEM},…]}
  private func noteBatch(_ line: Substring, _ holder: Actor) {
    let parts = line.split(separator: "\"", maxSplits: 4, omittingEmptySubsequences: false)
    guard parts.count == 5, parts[1] == "claim", line.hasSuffix("}]}") else {
      return tally.breach("batch: no batch line: \(line.prefix(200))")
    }
    let data = "\"data\":"
    var items: [Int] = []
    var rest = line[...].dropLast(2)
    while let start = rest.firstRange(of: data) {
      rest = rest[start.upperBound...]
      let end =
        rest.first == "{"
        ? rest.firstIndex(of: "}").map(rest.index(after:)) : rest.firstIndex(of: "}")
      guard let end else { return tally.breach("batch: no item: \(line.prefix(200))") }
      if let number = oracle.deliver(rest[..<end]) { items.append(number) }
      rest = rest[end...]
    }
    var random = holder.random.fork()
    let actor = Actor(random.choose([.settle, .settle, .sendBack, .bury]), random)
    actor.mishap = random.below(3) == 0 ? Mishap(&random) : nil
    holder.delivered += items
    actor.claim = (String(parts[3]), items)
    waiting.append(actor)
  }

  private func conclude(_ actor: Actor) throws(Fault) {
    actor.closeListener()
    note(actor)
    let isWell = actor.exitStatus == 0
    let ending = actor.endedBySignal.map { "signal \($0)" } ?? "status \(actor.exitStatus ?? -1)"
    try note(
      event: "\(actor.process) ends with \(ending): \(actor.receipts) receipts,"
        + " sent \(actor.lines), delivered \(actor.delivered)")
    if let signal = actor.endedBySignal, ![SIGKILL, SIGTERM].contains(signal) {
      tally.breach("\(actor.form) died of signal \(signal)")
    }
    if let status = actor.exitStatus, [64, 70].contains(status) {
      tally.breach("\(actor.form) exited with status \(status)")
    }
    switch actor.form {
    case .enqueueLines where actor.receipts < actor.lines.count:
      unanswered.append(actor)
    case .consume, .consumeSingly, .follow, .command:
      if isWell { oracle.settle(actor.delivered) }
    case .settle:
      if isWell { oracle.settle(actor.claim!.items) }
    case .sendBack, .bury:
      if isWell { oracle.sendBack(actor.claim!.items) }
    default: break
    }
  }
}

// Programs that nothing befalls.
extension Torture {
  /// Runs a program to its end. Its output is `output`.
  private func complete(_ actor: Actor, _ words: [String]) throws(Fault) {
    try actor.start(words, isSupervised: false, errors: errors.fd)
    while actor.stdout >= 0 {
      var poller = Poller()
      let output = poller.watch(actor.stdout)
      try poller.wait(until: Clock.steady() + Torture.patience)
      if poller.isReady(output) {
        _ = actor.read()
      } else {
        tally.breach("pipe \(words[0]) hangs")
        actor.signal(SIGKILL)
      }
    }
    var status: Int32 = 0
    while actor.status == nil {
      if waitpid(actor.process, &status, 0) == actor.process { actor.status = status }
    }
  }

  @discardableResult
  private func unsupervised(_ words: [String], form: Life.Form = .stats) throws(Fault) -> Actor {
    let actor = Actor(form, SeededRandom(seed: 0))
    try complete(actor, words)
    if actor.exitStatus == Actor.notStarted {
      throw Fault(.unavailable, "pipe cannot start itself; mount /proc")
    }
    return actor
  }

  /// Moves and consumes everything, as a user would after the storm.
  private func finish() throws(Fault) {
    for queue in [intake, queue] {
      let check = try unsupervised(["fsck", "-q", queue], form: .fsck)
      note(check)
      // What is left is delivered, and the rest is counted.
      if check.exitStatus != 0 { try unsupervised(["fsck", "-q", queue, "--repair"]) }
    }
    try unsupervised(["route", "-q", intake, "--to", queue])
    try unsupervised(["retry", "--all", "-q", queue])
    // The second time, nothing is left.
    for _ in 0..<2 {
      let last = try unsupervised(["consume", "-q", queue, "--until-done"], form: .consume)
      note(last)
      if last.exitStatus != 0 {
        tally.breach("the last consume exited with status \(last.exitStatus ?? -1)")
      }
      oracle.settle(last.delivered)
    }
  }

  private func judge() {
    tally.accepted = oracle.accepted
    tally.delivered = oracle.delivered
    tally.again = oracle.again
    tally.lost = oracle.lost
    tally.torn = oracle.torn
    tally.doubled = oracle.doubled
  }
}

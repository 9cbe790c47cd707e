internal import Glibc
package import PipeIO
package import PipeTime

/// The name in now/ while a queue is paused, `paused.UNTIL.SET.CRC`: each claim lists now/, so a pause
/// costs no call of its own. The file holds the reason.
struct PauseName: Equatable {
  /// The epoch: until `resume`.
  let until: Instant
  let set: Instant

  var text: String {
    KeywordName.text("paused", Int(until.microseconds), Int(set.microseconds))
  }

  init(until: Instant, set: Instant) {
    self.until = until
    self.set = set
  }

  init?(_ text: UnsafeRawBufferPointer) {
    guard var pieces = KeywordName.fields(of: text, "paused"),
      let until = pieces.number(before: dot), let set = pieces.number(before: dot),
      NameChecksum.ends(text, &pieces)
    else { return nil }
    self.init(until: Instant(microseconds: until), set: Instant(microseconds: set))
  }

  func isOver(at now: Instant) -> Bool { until > .epoch && until <= now }

  /// Of several, which a crash can leave, the one that was set last.
  func isLater(than other: PauseName?) -> Bool { other.map { $0.set < set } ?? true }
}

/// A pause as commands show it.
package struct Pause {
  package let since: Instant
  /// nil: until `resume`.
  package let until: Instant?
  package let reason: String

  package init(since: Instant, until: Instant?, reason: String) {
    self.since = since
    self.until = until
    self.reason = reason
  }
}

extension Queue {
  private static let draft = "pausing"
  private static let longestReason = 1024

  /// From now on no consumer claims anything. `until`: nil for until `resume`. A pause replaces the one
  /// before it.
  /// Transition: pause
  package func pause(until: Instant?, reason: String) throws(Fault) {
    drainsOnFullDisk()
    let now = try now()
    try lockNow(exclusive: true)
    defer { unlockNow() }
    let old = try pauseNames()
    let file = try Descriptor.create(Queue.draft, in: now, O_WRONLY | O_TRUNC)
    let bytes = Array(reason.utf8.prefix(Queue.longestReason))
    if !bytes.isEmpty { try bytes.write(to: file, at: 0) }
    try file.flush()
    let name = PauseName(until: until ?? .epoch, set: Clock.now())
    _ = try now.rename(Queue.draft, to: name.text)
    for other in old where other != name { try now.remove(other.text) }
    try now.flush()
  }

  /// Ends a pause. Returns whether there was one.
  /// Transition: resume
  package func resume() throws(Fault) -> Bool {
    let now = try now()
    try lockNow(exclusive: true)
    defer { unlockNow() }
    let names = try pauseNames()
    for name in names { try now.remove(name.text) }
    // Also if there was none: the process that removed it may have died before its flush.
    try now.flush()
    return names.contains { !$0.isOver(at: Clock.now()) }
  }

  /// The pause at this moment; nil if consumers may claim.
  package func pauseNow() throws(Fault) -> Pause? {
    try lockNow(exclusive: false)
    defer { unlockNow() }
    return try listNow().pause.flatMap { $0.isOver(at: Clock.now()) ? nil : try? pause(of: $0) }
  }

  func pause(of name: PauseName) throws(Fault) -> Pause {
    let bytes = try now().history(name.text).prefix(Queue.longestReason)
    return Pause(
      since: name.set, until: name.until > .epoch ? name.until : nil,
      reason: String(decoding: bytes, as: UTF8.self))
  }

  private func pauseNames() throws(Fault) -> [PauseName] {
    var found: [PauseName] = []
    try now().forEachName { if let name = PauseName($0) { found.append(name) } }
    return found
  }
}

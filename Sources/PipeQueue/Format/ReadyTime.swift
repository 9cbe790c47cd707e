internal import PipeIO
internal import PipeTime

/// A deadline and the delay it was set with. If the deadline now lies further ahead than that
/// delay, the clock was set back.
struct ReadyTime: Equatable {
  /// The epoch: at once.
  let at: Instant
  /// Time from when it was set until `at`; 0 for a time of day, which only the clock
  /// decides.
  let span: TimeSpan

  static let now = ReadyTime(at: .epoch, span: .zero)

  /// Without a wait the result is due at once, whatever the clock says.
  static func after(_ span: TimeSpan, from now: Instant) -> ReadyTime {
    span > .zero ? ReadyTime(at: now + span, span: span) : .now
  }

  func isOver(at now: Instant) -> Bool { at <= now }

  /// nil if the deadline is plausible; else the corrected deadline, counted from `now`.
  func corrected(at now: Instant) -> ReadyTime? {
    // Allows one second, because clocks are slewed.
    span > .zero && at - span > now + .seconds(1) ? ReadyTime.after(span, from: now) : nil
  }
}

/// The name in now/ that describes later/: `later.<due>.<set>.<items>.<checksum>`. Nothing in
/// later/ is due earlier. The name exists while later/ holds anything, so that a claim need not
/// list later/.
struct ParkedHint: Equatable {
  var due: Instant
  /// When the name was written. If that lies ahead, the clock was set
  /// back since.
  var set: Instant
  var items: Int

  var text: String {
    KeywordName.text("later", Int(due.microseconds), Int(set.microseconds), items)
  }

  func isOver(at now: Instant) -> Bool { due <= now || set > now + .seconds(1) }

  init(due: Instant, set: Instant, items: Int) {
    self.due = due
    self.set = set
    self.items = items
  }

  /// `older`: also accepts the name of format 2, which has no checksum.
  init?(_ text: UnsafeRawBufferPointer, older: Bool = false) {
    guard var pieces = KeywordName.fields(of: text, "later"), let due = pieces.number(before: dot),
      let set = pieces.number(before: dot),
      let items = pieces.number(before: dot)
    else { return nil }
    self.init(due: Instant(microseconds: due), set: Instant(microseconds: set), items: items)
    if older, pieces.isAtEnd { return }
    guard NameChecksum.ends(text, &pieces) else { return nil }
  }
}

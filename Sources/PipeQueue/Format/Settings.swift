internal import CPipeIO
internal import PipeIO
package import PipeTime

/// The settings that `pipe init` changes. The file `format` holds them, one `name value` per line
/// between the version and a checksum; `format.copy` holds a second copy.
package struct Settings: Equatable {
  /// Items per slice of entries that are stored from now on.
  package var slice = 3
  /// The most items that may be stored and not done; nil for no bound.
  package var maxItems: Int?
  /// The most bytes from the oldest line of each lane that is not done to the end of the lane; nil
  /// for no bound.
  package var maxBytes: Int?
  /// Bytes that writers leave free on the file system.
  package var minFree = 64 << 20

  package init() {}

  /// Bytes that writers leave free on a file system of this size: on a small one, `minFree` would leave no
  /// room at all.
  func bytesToLeave(of total: Int) -> Int { min(minFree, total / 16) }

  var hasBounds: Bool { maxItems != nil || maxBytes != nil }

  /// How long a segment stays after it was last written, if its items are all done.
  package var retain: TimeSpan = .days(7)

  /// Retries of an item after its first attempt, before it is buried.
  package var retries = 5
  package var backoff = Backoff(base: .seconds(1), most: .minutes(5))

  /// An item that has waited this long is taken next, whatever its lane; nil: never.
  package var promoteAfter: TimeSpan?

  /// How long a host may be silent before others get its claims. Only in PostgreSQL; nil in a directory.
  package var lost: TimeSpan?

  /// Whether dead letters may be early.
  var hasEarlyLetters = false
  /// Whether names in later/ may be early.
  var hasEarlyParking = false

  static let version = 3
  static let newestVersion = 5
  /// Version of the file from which these settings were read.
  private(set) var version = Settings.version
  /// The version whose names may still exist, while a process upgrades the queue or after it died
  /// doing so; nil otherwise.
  var upgradedFrom: Int?

  /// Whether names of an older format may exist.
  var isOlder: Bool { version < Settings.version || upgradedFrom != nil }

  mutating func finishUpgrade() { (version, upgradedFrom) = (Settings.version, nil) }

  /// The lowest version that has all of these settings.
  private var lowestVersion: Int {
    if hasEarlyParking { return 5 }
    return promoteAfter != nil || hasEarlyLetters ? 4 : Settings.version
  }

  /// The bytes of `format`.
  var text: String {
    var lines = [
      "pipe-queue \(lowestVersion)",
      "slice \(slice)", "min-free \(minFree)",
      "retain \(retain.microseconds)", "retries \(retries)",
      "backoff \(backoff.base.microseconds)", "backoff-max \(backoff.most.microseconds)",
    ]
    if let maxItems { lines.append("max-items \(maxItems)") }
    if let maxBytes { lines.append("max-bytes \(maxBytes)") }
    if hasEarlyLetters { lines.append("early-letters 1") }
    if hasEarlyParking { lines.append("early-parking 1") }
    if let promoteAfter { lines.append("promote-after \(promoteAfter.microseconds)") }
    if let upgradedFrom { lines.append("upgrading \(upgradedFrom)") }
    let text = lines.joined(separator: "\n") + "\n"
    return text + "sum \(NameChecksum(text).text)\n"
  }
}

/// What a role of PostgreSQL may do with a queue there.
package enum QueueRole: String, CaseIterable {
  /// Every command that changes nothing.
  case reader
  /// That, and `enqueue`, `ingest` and the gateway.
  case producer
  /// Every command, except `init`.
  case consumer
}

extension Settings {
  enum Damage: Error {
    case damaged
    /// A version that this program does not support.
    case newer(Int)
  }

  static func parse(_ bytes: [UInt8]) throws(Damage) -> Settings {
    try bytes.withUnsafeBufferPointer { (all) throws(Damage) -> Settings in
      try parse(UnsafeRawBufferPointer(all))
    }
  }

  static func parse(_ bytes: UnsafeRawBufferPointer) throws(Damage) -> Settings {
    var settings = Settings()
    var lines = FieldSplitter(bytes)
    guard var first = lines.next(before: newline).map(FieldSplitter.init),
      first.next(before: space)?.elementsEqual("pipe-queue".utf8) == true,
      let version = first.number(before: space), first.isAtEnd
    else { throw .damaged }
    if version > Settings.newestVersion { throw .newer(version) }
    settings.version = version
    var isSummed = false
    while let line = lines.next(before: newline) {
      if line.isEmpty, lines.isAtEnd { break }
      guard !isSummed else { throw .damaged }
      var pieces = FieldSplitter(line)
      let name = String(decoding: pieces.next(before: space)!, as: UTF8.self)
      if name == "sum", version >= 3 {
        let before = cut(bytes, 0, line.baseAddress! - bytes.baseAddress!)
        isSummed = pieces.remainder.flatMap { NameChecksum(digits: $0) } == NameChecksum(before)
        guard isSummed else { throw .damaged }
        continue
      }
      guard let value = pieces.number(before: space), pieces.isAtEnd, settings.set(name, value)
      else { throw .damaged }
    }
    guard isSummed || version < 3 else { throw .damaged }
    return settings
  }

  private mutating func set(_ name: String, _ value: Int) -> Bool {
    switch name {
    case "slice" where value > 0: slice = value
    case "retain": retain = TimeSpan(microseconds: value)
    case "min-free": minFree = value
    case "retries": retries = value
    case "backoff": backoff.base = TimeSpan(microseconds: value)
    case "backoff-max": backoff.most = TimeSpan(microseconds: value)
    case "max-items": maxItems = value
    case "max-bytes": maxBytes = value
    case "early-letters" where version >= 4: hasEarlyLetters = value > 0
    case "early-parking" where version >= 5: hasEarlyParking = value > 0
    case "promote-after" where version >= 4 && value > 0:
      promoteAfter = TimeSpan(microseconds: value)
    case "upgrading" where version >= 3: upgradedFrom = value
    default: return false
    }
    return true
  }
}

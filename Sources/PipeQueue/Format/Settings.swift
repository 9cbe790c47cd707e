internal import CPipeIO
internal import PipeIO

/// What `pipe init` sets; kept in the file `format`, one `name value` a line between the version and a
/// checksum, and a second time in `format.copy`.
package struct Settings: Equatable {
  /// Items a slice of an entry that is stored from now on.
  package var slice = 3
  /// The most items that may be stored and not done; nil for no bound.
  package var maxItems: Int?
  /// The most bytes that lines not yet done may take, counted from the oldest; nil for no bound.
  package var maxBytes: Int?
  /// Bytes that `enqueue` leaves free on the file system.
  package var minFree = 64 << 20

  package init() {}

  var hasBounds: Bool { maxItems != nil || maxBytes != nil }

  /// How long a segment stays after its items are done, in microseconds.
  package var retain: Int64 = 7 * 86_400_000_000

  /// Times an item is tried again after its first attempt, before it is buried.
  package var retries = 5
  package var backoff = Backoff(base: 1_000_000, most: 300_000_000)

  static let version = 3
  /// Of the file that these were read from.
  private(set) var version = Settings.version
  /// The version whose names may still be there, while a process upgrades the queue or after one died doing so.
  var upgradedFrom: Int?

  /// Whether names of an older format may be there.
  var isOlder: Bool { version < Settings.version || upgradedFrom != nil }

  mutating func finishUpgrade() { (version, upgradedFrom) = (Settings.version, nil) }

  /// The bytes of `format`.
  var text: String {
    var lines = [
      "pipe-queue \(Settings.version)", "slice \(slice)", "min-free \(minFree)", "retain \(retain)",
      "retries \(retries)", "backoff \(backoff.base)", "backoff-max \(backoff.most)",
    ]
    if let maxItems { lines.append("max-items \(maxItems)") }
    if let maxBytes { lines.append("max-bytes \(maxBytes)") }
    if let upgradedFrom { lines.append("upgrading \(upgradedFrom)") }
    let text = lines.joined(separator: "\n") + "\n"
    return text + "sum \(NameChecksum(text).text)\n"
  }
}

extension Settings {
  enum Damage: Error {
    case damaged
    /// A version that this program does not know.
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
    if version > Settings.version { throw .newer(version) }
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
    case "retain": retain = Int64(value)
    case "min-free": minFree = value
    case "retries": retries = value
    case "backoff": backoff.base = Int64(value)
    case "backoff-max": backoff.most = Int64(value)
    case "max-items": maxItems = value
    case "max-bytes": maxBytes = value
    case "upgrading" where version >= 3: upgradedFrom = value
    default: return false
    }
    return true
  }
}

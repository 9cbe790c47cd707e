internal import CPipeIO
internal import Glibc
internal import PipeIO

/// What `pipe init` sets; kept in the file `format`, one `name value` a line behind the version.
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

  static let version = 2
  /// Of the file that these were read from.
  private(set) var version = Settings.version

  var text: String {
    var lines = [
      "pipe-queue \(Settings.version)", "slice \(slice)", "min-free \(minFree)", "retain \(retain)",
      "retries \(retries)", "backoff \(backoff.base)", "backoff-max \(backoff.most)",
    ]
    if let maxItems { lines.append("max-items \(maxItems)") }
    if let maxBytes { lines.append("max-bytes \(maxBytes)") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// `path`: of the file, for messages.
  static func parse(_ bytes: UnsafeRawBufferPointer, path: String) throws(Fault) -> Settings {
    var settings = Settings()
    var lines = Pieces(bytes)
    guard var first = lines.next(before: newline).map(Pieces.init),
      first.next(before: space)?.elementsEqual("pipe-queue".utf8) == true,
      let version = first.number(before: space)
    else { throw damaged(path) }
    guard version <= Settings.version else {
      throw Fault(
        .settings,
        "\(printable(path)): format \(version) is newer than this pipe, which knows up to \(Settings.version)"
      )
    }
    settings.version = version
    while let line = lines.next(before: newline) {
      if line.isEmpty, lines.isAtEnd { break }
      var pieces = Pieces(line)
      let name = String(decoding: pieces.next(before: space)!, as: UTF8.self)
      guard let value = pieces.number(before: space), settings.set(name, value) else {
        throw damaged(path)
      }
    }
    return settings
  }

  private static func damaged(_ path: String) -> Fault {
    Fault(.settings, "\(printable(path)): is not the format file of a queue, or is damaged")
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
    default: return false
    }
    return true
  }
}

extension Settings {
  static let fileName = "format"
  /// The next `format` while it is written; a leftover of a crash is overwritten.
  static let draftName = "format.new"

  /// nil where there is no file: then there is no queue.
  static func read(_ root: Directory) throws(Fault) -> Settings? {
    guard let file = try Descriptor.open(fileName, in: root, O_RDONLY) else { return nil }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
    defer { buffer.deallocate() }
    let count = try file.read(into: buffer, at: 0)
    return try parse(cut(UnsafeRawBufferPointer(buffer), 0, count), path: file.path)
  }

  /// Writes and flushes the draft; the caller gives it its name.
  func writeDraft(_ root: Directory) throws(Fault) {
    let file = try Descriptor.create(Settings.draftName, in: root, O_WRONLY | O_TRUNC)
    try Array(text.utf8).write(to: file, at: 0)
    try file.flush()
  }
}

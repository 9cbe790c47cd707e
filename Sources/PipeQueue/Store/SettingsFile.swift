internal import Glibc
internal import PipeIO

extension Settings {
  /// The file that every command reads first.
  static let fileName = "format"
  static let copyName = "format.copy"
  /// Temporary name of the next `format`; a leftover of a crash is overwritten.
  static let temporaryName = "format.new"

  /// nil if there is no queue: `format` is missing, and so is a usable copy. `isRestored`: `format`
  /// is missing or damaged, and these settings are those of its copy.
  static func read(_ root: Directory) throws(Fault) -> (settings: Settings, isRestored: Bool)? {
    let path = root.path + "/" + fileName
    let bytes = try contents(fileName, root)
    let damage: Damage?
    if let bytes {
      do throws(Damage) { return (try parse(bytes), false) } catch { damage = error }
    } else {
      damage = nil
    }
    if let copy = try contents(copyName, root) {
      do throws(Damage) { return (try parse(copy), true) } catch {}
    }
    switch damage {
    case nil: return nil
    case .newer(let version):
      throw Fault(
        .settings,
        "\(printable(path)): format \(version) is newer than this pipe supports"
          + " (up to \(Settings.newestVersion)); upgrade pipe")
    case .damaged:
      throw Fault(
        .settings,
        "\(printable(path)): is damaged or not the format file of a queue, and so is \(copyName);"
          + " restore one of them from a backup, or run pipe fsck --repair")
    }
  }

  /// Whether this file is missing or cannot be used.
  static func isDamaged(_ name: String, _ root: Directory) -> Bool {
    guard let bytes = try? contents(name, root) else { return true }
    return (try? parse(bytes)) == nil
  }

  /// Whether neither file can be used, and neither is of a newer format.
  static func areLost(_ root: Directory) throws(Fault) -> Bool {
    for name in [fileName, copyName] {
      guard let bytes = try contents(name, root) else { continue }
      do throws(Damage) {
        _ = try parse(bytes)
        return false
      } catch {
        if case .newer = error { return false }
      }
    }
    return true
  }

  private static func contents(_ name: String, _ root: Directory) throws(Fault) -> [UInt8]? {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
    defer { buffer.deallocate() }
    do throws(Fault) {
      guard let file = try Descriptor.open(name, in: root, O_RDONLY) else { return nil }
      return Array(buffer[..<(try file.read(into: buffer, at: 0))])
    } catch {
      // Whatever else has the name is damage.
      if root.isStrange(name) { return [] }
      throw error
    }
  }

  /// Makes these the settings of a directory that has none; `format`, which makes it a queue, comes last.
  func begin(in root: Directory) throws(Fault) {
    try put(Settings.copyName, in: root)
    try root.flush()
    try put(Settings.fileName, in: root)
    try root.flush()
  }

  /// Makes these the settings of the queue. Both files are whole at any time; a crash leaves the
  /// old settings or the new ones.
  func replace(in root: Directory) throws(Fault) {
    try put(Settings.fileName, in: root)
    try put(Settings.copyName, in: root)
    try root.flush()
  }

  /// Writes these settings to a temporary file, flushes it, and gives it this name.
  /// Transition: create, settings
  func put(_ name: String, in root: Directory) throws(Fault) {
    for other in [name, Settings.temporaryName] where root.has(other) && root.size(of: other) == nil
    {
      _ = try root.putAside(other)
    }
    let file = try Descriptor.create(Settings.temporaryName, in: root, O_WRONLY | O_TRUNC)
    try Array(text.utf8).write(to: file, at: 0)
    try file.flush()
    if try root.rename(Settings.temporaryName, to: name) == .renamed { return }
    try root.exchange(Settings.temporaryName, name)
    try root.remove(Settings.temporaryName)
  }
}

// Upgrades a queue of an older format (pipe-queue(5), TRANSITIONS, upgrade). One rename decides:
// from then on `format` gives this version and says that older names may exist, and no older
// program touches them. The next process that opens the queue continues where this one died.
extension Queue {
  /// The settings of a queue, which is first restored and upgraded if this process may change it;
  /// nil if there is no queue.
  /// Step of: settings
  static func currentSettings(
    _ root: Directory, _ report: @escaping (String) -> Void
  ) throws(Fault) -> Settings? {
    guard let (settings, isRestored) = try Settings.read(root) else { return nil }
    guard settings.isOlder || isRestored else { return settings }
    do throws(Fault) {
      try lock(root, exclusive: true, report)
      defer { root.unlock() }
      // Another process may have done this meanwhile.
      guard let (found, isRestored) = try Settings.read(root) else { return nil }
      if isRestored {
        report(
          "\(printable(root.path))/\(Settings.fileName): is damaged or missing; restored from \(Settings.copyName)"
        )
        try found.replace(in: root)
      }
      return found.isOlder ? try upgrade(root, found, report) : found
    } catch {
      // A process that may only read can use such a queue too.
      guard error.kind == .permission else { throw error }
      return settings
    }
  }

  /// Call under the exclusive lock of the queue.
  /// Transition: upgrade
  static func upgrade(
    _ root: Directory, _ settings: Settings, _ report: @escaping (String) -> Void
  ) throws(Fault) -> Settings {
    try fill(root)
    var settings = settings
    if settings.upgradedFrom == nil {
      settings.upgradedFrom = settings.version
      try settings.replace(in: root)
    }
    try renameAside(root, report)
    try renameEnds(root, report)
    try renameNow(root, report)
    settings.finishUpgrade()
    try settings.replace(in: root)
    return settings
  }

  private static func renameNow(
    _ root: Directory, _ report: @escaping (String) -> Void
  ) throws(Fault) {
    let now = try root.existing("now")
    try lock(now, exclusive: true, report)
    defer { now.unlock() }
    try now.renameAll { text in
      NowName(text, older: true)?.text ?? ParkedHint(text, older: true)?.text
    }
  }

  // The new names have no valid seal, so each end is checked against its lane before a store.
  private static func renameEnds(
    _ root: Directory, _ report: @escaping (String) -> Void
  ) throws(Fault) {
    let end = try root.existing("end")
    try lock(end, exclusive: true, report)
    defer { end.unlock() }
    try end.renameAll { LaneEnd($0, older: true)?.text }
  }

  private static func renameAside(
    _ root: Directory, _ report: @escaping (String) -> Void
  ) throws(Fault) {
    let later = try root.existing(SideKind.later.rawValue)
    try lock(later, exclusive: true, report)
    defer { later.unlock() }
    let register = Register(root)
    for kind in SideKind.allCases {
      for lane in Lane.allCases {
        for shard in try shards(kind, lane, in: root) {
          guard let directory = try Directory.open(kind.path(lane, shard), in: root) else {
            continue
          }
          var ranges: [ItemRange] = []
          try directory.renameAll { text in
            let name = SideName.parse(text, kind, lane, older: true)
            if let name { ranges.append(name.range) }
            return name?.text
          }
          try register.add(ranges)
        }
      }
    }
  }
}

extension Directory {
  /// Renames each name to the one that `new` returns, if any, and flushes the directory.
  /// Step of: upgrade
  fileprivate func renameAll(_ new: (UnsafeRawBufferPointer) -> String?) throws(Fault) {
    var renamed: [(old: String, new: String)] = []
    try forEachName { text in
      guard let new = new(text) else { return }
      let old = String(decoding: text, as: UTF8.self)
      if old != new { renamed.append((old, new)) }
    }
    for (old, new) in renamed where try rename(old, to: new) == .taken { try remove(old) }
    // Also if nothing was left to rename: the process that renamed may have died before its flush.
    try flush()
  }
}

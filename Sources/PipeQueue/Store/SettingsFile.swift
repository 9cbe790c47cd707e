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
          + " restore one of them from a backup")
    }
  }

  /// Whether this file is missing or cannot be used.
  static func isDamaged(_ name: String, _ root: Directory) -> Bool {
    guard let bytes = try? contents(name, root) else { return true }
    return (try? parse(bytes)) == nil
  }

  private static func contents(_ name: String, _ root: Directory) throws(Fault) -> [UInt8]? {
    guard let file = try Descriptor.open(name, in: root, O_RDONLY) else { return nil }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
    defer { buffer.deallocate() }
    return Array(buffer[..<(try file.read(into: buffer, at: 0))])
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
    let file = try Descriptor.create(Settings.temporaryName, in: root, O_WRONLY | O_TRUNC)
    try Array(text.utf8).write(to: file, at: 0)
    try file.flush()
    if try root.rename(Settings.temporaryName, to: name) == .renamed { return }
    try root.exchange(Settings.temporaryName, name)
    try root.remove(Settings.temporaryName)
  }
}

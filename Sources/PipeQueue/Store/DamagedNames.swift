internal import PipeIO

// A name that contradicts its checksum or the lines has no meaning. Its file is kept for inspection
// and gets `.bad` appended, so that the name is reported once and no process reads it again.
enum DamagedNames {
  private static let suffix = ".bad"

  /// Whether a name that its reader found invalid begins like the name of an item. Other names do
  /// not belong to pipe.
  static func shouldBe(_ name: UnsafeRawBufferPointer) -> Bool {
    var pieces = FieldSplitter(name)
    guard let first = pieces.next(before: dot), !pieces.isAtEnd, !isMarked(name) else {
      return false
    }
    return Lane(name: first) != nil
      || ["later", "paused"].contains { first.elementsEqual($0.utf8) }
  }

  private static func isMarked(_ name: UnsafeRawBufferPointer) -> Bool {
    name.count >= suffix.utf8.count
      && cut(name, name.count - suffix.utf8.count, name.count).elementsEqual(suffix.utf8)
  }

  /// A name has at most 255 bytes.
  fileprivate static func marked(_ name: String, _ try: Int) -> String {
    let kept = String(decoding: name.utf8.prefix(230), as: UTF8.self)
    return `try` == 0 ? kept + suffix : "\(kept).\(`try`)\(suffix)"
  }
}

extension Directory {
  /// Appends `.bad` to a damaged name. Returns the new name; nil if the old one is gone.
  /// Transition: put aside
  func putAside(_ name: String) throws(Fault) -> String? {
    for attempt in 0..<1000 {
      let marked = DamagedNames.marked(name, attempt)
      switch try rename(name, to: marked) {
      case .renamed: return marked
      case .missing: return nil
      case .taken: continue
      }
    }
    throw Fault(
      .inputOutput,
      "\(printable(path))/\(printable(name)): too many damaged copies; remove some .bad files")
  }
}

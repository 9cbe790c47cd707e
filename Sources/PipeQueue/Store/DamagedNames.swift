internal import PipeIO

// A name that contradicts its checksum or the lines says nothing any more. It keeps its file, for a person
// to look at, and gets `.bad` behind it, so that it is reported once and no process reads it again.
enum DamagedNames {
  private static let mark = ".bad"

  /// Whether it begins as the names of items do and is none, as its reader has found. Other names are not ours.
  static func shouldBe(_ name: UnsafeRawBufferPointer) -> Bool {
    var pieces = FieldSplitter(name)
    guard let first = pieces.next(before: dot), !pieces.isAtEnd, !isMarked(name) else {
      return false
    }
    return Lane(name: first) != nil || first.elementsEqual("later".utf8)
  }

  private static func isMarked(_ name: UnsafeRawBufferPointer) -> Bool {
    name.count >= mark.utf8.count
      && cut(name, name.count - mark.utf8.count, name.count).elementsEqual(mark.utf8)
  }

  /// Names have at most 255 bytes.
  fileprivate static func marked(_ name: String, _ try: Int) -> String {
    let kept = String(decoding: name.utf8.prefix(230), as: UTF8.self)
    return `try` == 0 ? kept + mark : "\(kept).\(`try`)\(mark)"
  }
}

extension Directory {
  /// Returns the new name; nil where the old one is gone.
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

internal import PipeIO

/// What now/ holds at one instant.
struct NowListing {
  var names: [NowName] = []
  /// Files whose names mean nothing: the next names are made of them.
  var spares: [Int] = []
}

extension Queue {
  /// The names of one instant, for those who only look.
  func namesNow() throws(Fault) -> [NowName] {
    try lockNow(exclusive: false)
    defer { unlockNow() }
    return try listNow().names
  }

  /// Under the lock of now/, shared or exclusive: a listing beside renames would miss names.
  func listNow() throws(Fault) -> NowListing {
    var listing = NowListing()
    try now().forEachName { text in
      if let name = NowName(text) {
        listing.names.append(name)
      } else if let number = Queue.spareNumber(text) {
        listing.spares.append(number)
      }
    }
    return listing
  }

  static func spareName(_ number: Int) -> String { "spare.\(number)" }

  private static func spareNumber(_ text: UnsafeRawBufferPointer) -> Int? {
    text.count > 6 && cut(text, 0, 6).elementsEqual("spare.".utf8)
      ? decimal(cut(text, 6, text.count)) : nil
  }

  /// Gives the file that `name` names another name; false where it was gone. Where a process died between
  /// two steps the new name may be there: it says the same, and the old one only has to go.
  func rename(_ name: NowName, to new: NowName) throws(Fault) -> Bool {
    if name == new { return true }
    switch try now().rename(name.text, to: new.text) {
    case .renamed: return true
    case .missing: return false
    case .taken: return try setAside(name)
    }
  }

  /// Makes a spare of a name: nothing is said of its items any more. Under the exclusive lock.
  func setAside(_ name: NowName) throws(Fault) -> Bool {
    let spares = Set(try listNow().spares)
    let free = (0...).first { !spares.contains($0) }!
    return try now().rename(name.text, to: Queue.spareName(free)) == .renamed
  }
}

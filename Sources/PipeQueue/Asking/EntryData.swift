package import PipeIO

extension Queue {
  /// What was stored of an entry: the record's value, or the compact list of its ids. nil for an id that no
  /// entry before the ends has.
  package func data(of id: EntryID) throws(Fault) -> [UInt8]? {
    guard let found = try Lookup(self).find(id, try ends()),
      case .line(let line) = try found.reader.line(
        at: found.offset, limit: try found.reader.file.size())
    else { return nil }
    return Array(line.data)
  }

  /// Throws what keeps entries from being stored now: "full", or that the queue is gone.
  package func requireRoom() throws(Fault) {
    let ends = try ends()
    var draft = Draft()
    [UInt8(0x31)].withUnsafeBytes { data in
      draft.append(NewEntry(id: .delayed, priority: .medium), data: data)
    }
    try requireRoom(for: draft, behind: Priority.allCases.map { ends[$0] })
  }
}

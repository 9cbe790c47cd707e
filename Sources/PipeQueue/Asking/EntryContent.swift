package import PipeIO

/// What was stored under an id.
package struct EntryContent: Equatable {
  package let priority: Priority
  package let isRecord: Bool
  /// The record's value, or the compact list of ids.
  package let data: [UInt8]

  package init(priority: Priority, isRecord: Bool, data: [UInt8]) {
    self.priority = priority
    self.isRecord = isRecord
    self.data = data
  }
}

extension Queue {
  /// nil for an id that no entry before the ends has.
  package func content(of id: EntryID) throws(Fault) -> EntryContent? {
    guard let found = try Lookup(self).find(id, try ends()),
      case .line(let line) = try found.reader.line(
        at: found.offset, limit: try found.reader.file.size())
    else { return nil }
    return EntryContent(priority: found.lane, isRecord: line.isRecord, data: Array(line.data))
  }

  /// Throws where nothing can be stored though there is room: on a file system that is read-only, or in a
  /// queue that this process may not write to.
  package func requireWritable() throws(Fault) {
    try root.requireWritable("end")
    for lane in Priority.allCases { try root.requireWritable("segments/" + lane.name) }
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

internal import Glibc
package import PipeIO

extension Queue {
  // The ends of this many files are read, this many bytes of each.
  private static let tagFiles = 8
  private static let tagBytes = 64 << 10

  /// Returns tags of settled batches, the latest first, from the ends of the newest statistics: a tag
  /// that was not used recently may be missing.
  package func recentTags() throws(Fault) -> [String] {
    guard let directory = try Directory.open("stats", in: root) else { return [] }
    let closed = try directory.statsFiles().sorted { $0.numbers.upperBound > $1.numbers.upperBound }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Queue.tagBytes, alignment: 8)
    defer { buffer.deallocate() }
    var known: Set<String> = []
    var found: [String] = []
    for name in [StatsName.log] + closed.prefix(Queue.tagFiles - 1).map(\.text) {
      guard let file = try Descriptor.open(name, in: directory, O_RDONLY) else { continue }
      let count = try file.read(into: buffer, at: max(0, file.size() - buffer.count))
      var lines = FieldSplitter(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      var tags: [String] = []
      while let line = lines.next(before: newline) {
        if let tag = SettledLine(line)?.tag ?? CompactedLine(line)?.tag { tags.append(tag) }
      }
      found += tags.reversed().filter { known.insert($0).inserted }
    }
    return found
  }
}

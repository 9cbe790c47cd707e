internal import PipeIO

/// Reads dead letters. They come in the order of the line, so it stays where the last one was.
final class LetterReader {
  private let queue: Queue
  private var held: SegmentReader?
  private var mark = ItemMark(id: .delayed, number: 0, rest: 0)

  init(_ queue: Queue) { self.queue = queue }

  /// nil where its line is gone or damaged.
  func letter(_ name: AsideName) throws(Fault) -> DeadLetter? {
    guard
      let directory = try Directory.open(
        name.kind.path(name.range.lane, name.shard), in: queue.root)
    else { return nil }
    let bytes = directory.history(name.text)
    guard let line = try line(name) else { return nil }
    let number = name.range.from.number
    return DeadLetter(
      entry: line.id, index: number - line.number + 1, priority: name.range.lane,
      data: line.item(number, &mark),
      history: History.attempts(bytes, of: number, name.range.lane),
      stderr: DeadLetter.stderr(in: bytes))
  }

  /// The line of its entry, valid until the next call.
  func line(_ name: AsideName) throws(Fault) -> SegmentLine? {
    let place = name.range.from
    guard let reader = try reader(name.range.lane, place.segment),
      case .line(let line) = try reader.line(at: place.offset, limit: .max)
    else { return nil }
    return line
  }

  private func reader(_ lane: Priority, _ segment: Int) throws(Fault) -> SegmentReader? {
    if let held, held.lane == lane, held.segment == segment { return held }
    guard let file = try Segment.open(queue, lane, segment) else { return nil }
    held = SegmentReader(file, lane, segment)
    return held
  }
}

extension SegmentLine {
  /// The bytes of the item of this number. `mark` is where the item before it was found, if it was one of
  /// this line, and is moved on: going through a long list costs as much as the list is long.
  fileprivate func item(_ number: Int, _ mark: inout ItemMark) -> [UInt8] {
    if isRecord { return Array(data) }
    let isBehind = mark.id == id && mark.number <= number
    let start =
      isBehind ? mark : ItemMark(id: id, number: self.number, rest: max(0, data.count - 2))
    // From the first byte that is not yet passed, the closing bracket included.
    let rest = cut(data, data.count - 1 - start.rest - 1, data.count)
    var list = ItemList(rest, skipping: number - start.number)
    let found = Array(list.next() ?? cut(data, 0, 0))
    mark = ItemMark(id: id, number: number + 1, rest: list.left)
    return found
  }
}

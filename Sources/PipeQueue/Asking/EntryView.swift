internal import PipeIO

/// An entry, its line, and the names that its items have.
struct EntryView {
  let line: SegmentLine
  /// Keeps the bytes of `line`.
  let reader: SegmentReader
  let offset: Int
  let lane: Priority
  private(set) var names: [NowName]
  let ends: Ends
  /// Of its items alone.
  private var near: LaneLine
  private var aside: AsideLine
  /// Numbers of its items that must have a name aside.
  private var registered: Set<Int> = []

  init(_ queue: Queue, _ line: SegmentLine, _ found: Lookup.Found, _ ends: Ends) throws(Fault) {
    self.line = line
    (reader, offset, lane) = (found.reader, found.offset, found.lane)
    self.ends = ends
    let numbers = line.number..<(line.number + line.items)
    let end = ends[found.lane].place
    // Between now/ and the directories beside it items are in both: what is the same before and after
    // the look at now/ was not on its way.
    var before = try queue.namesAside(lane, numbers)
    while true {
      names = try queue.reportedNames()
      near = LaneLine(lane, end: end, names: names.filter { $0.isOf(found.lane, numbers) })
      aside = AsideLine(before)
      guard near.names.contains(where: \.isDone) else { return }
      registered = Set(try Register(queue.root).items(lane, numbers))
      let after = try queue.namesAside(lane, numbers)
      if after == before { return }
      before = after
    }
  }

  var numbers: Range<Int> { line.number..<(line.number + line.items) }

  func state(of number: Int) -> ItemState {
    let state = near.state(of: number)
    guard state == .done else { return state.map(ItemState.now) ?? .ready }
    // Its name was lost, not its line: nobody did it.
    return aside.state(of: number) ?? (registered.contains(number) ? .ready : .now(.done))
  }
}

import Testing

@testable import PipeQueue

@Suite("Names in dead/ and later/")
struct AsideTests {
  private func parsed(_ text: String, _ kind: SideKind) -> SideName? {
    var copy = text
    return copy.withUTF8 { SideName.parse(UnsafeRawBufferPointer($0), kind, .high) }
  }

  @Test("the name of a dead letter is its range, and says when it was dropped")
  func dead() {
    var name = SideName(range: items(199, 200))
    #expect(name.text.hasPrefix("199.1.199-200.1.200."))
    #expect(name.kind == .dead && name.shard == 1)
    #expect(parsed(name.text, .dead) == name)
    name.isDropped = true
    #expect(name.text.hasPrefix("199.1.199-200.1.200.") && name.text.hasSuffix(".dropped"))
    #expect(parsed(name.text, .dead) == name)
  }

  @Test("the name of a parked item is the one that it had in now/")
  func later() {
    let waiting = NowName.State.again(
      batch: token, attempt: 2, due: ReadyTime.after(5_000_000, from: 7_000_000))
    let name = SideName(range: items(200, 203), waiting: waiting)
    #expect(name.text == NowName(items(200, 203), waiting).text)
    #expect(name.kind == .later && name.shard == 2)
    #expect(parsed(name.text, .later) == name)
    #expect(!name.isOver(at: 11_999_999) && name.isOver(at: 12_000_000))
  }

  @Test(
    "other text is not the name of a dead letter",
    arguments: [
      "", "1.1.1", "1.1.1-1.1.1", "2.1.2-1.1.1", "1.1.1-2.1.2.", "1.1.1-2.1.2.drop",
      "1.1.1-2.1.2.dropped.x",
      "1.1.1-2.1.2.tmp",
    ])
  func others(text: String) {
    #expect(parsed(text, .dead) == nil)
  }

  @Test("a name in later/ is of its lane, and not of a claimed or done item")
  func strangers() {
    #expect(parsed(NowName.done(1, 2).text, .later) == nil)
    #expect(parsed(NowName.claim(1, 2).text, .later) == nil)
    #expect(parsed(NowName.again(1, 2).text, .later) != nil)
    let other = NowName(items(1, 2, .low), .again(batch: token, attempt: 1, due: .now))
    #expect(parsed(other.text, .later) == nil)
  }

  @Test("a name goes to the directory of its hundred, grouped with its like")
  func groups() {
    let names = [1, 99, 100, 2].map { SideName(range: items($0, $0 + 1)) }
    let groups = SideGroup.split(names)
    #expect(groups.map(\.path) == ["dead/HIGH/0", "dead/HIGH/1"])
    #expect(groups.map { $0.names.map(\.range.from.number) } == [[1, 99, 2], [100]])
  }
}

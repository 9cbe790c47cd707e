@testable import PipeQueue
import PipeTime

// The answers of the model.
extension Model {
  func entry(_ id: EntryID) -> Entry? { entries.first { $0.id == id } }

  private func hasStarted(_ key: Key) -> Bool {
    switch self[key].state {
    case .ready: self[key].attempts > 0
    case .claimed, .held, .done, .dead, .dropped: true
    }
  }

  private func isDead(_ key: Key) -> Bool { [.dead, .dropped].contains(self[key].state) }

  /// The words of an entry and of its slices.
  func status(_ entry: Entry) -> [EntryStatus.Word] {
    let size = max(1, entry.slice)
    let slices = stride(from: 0, to: entry.keys.count, by: size).map { start in
      word(Array(entry.keys[start..<min(entry.keys.count, start + size)]))
    }
    let canRun = entry.keys.contains { self[$0].state != .done && !isDead($0) }
    let whole: EntryStatus.Word
    if slices.allSatisfy({ $0 == .completed }) {
      whole = .completed
    } else if slices.contains(.failed), !canRun {
      whole = .failed
    } else {
      whole = slices.contains { $0 != .yetToStart } ? .triggered : .yetToStart
    }
    return [whole] + slices
  }

  private func word(_ slice: [Key]) -> EntryStatus.Word {
    if slice.contains(where: isDead) { return .failed }
    if slice.allSatisfy({ self[$0].state == .done }) { return .completed }
    return slice.contains(where: hasStarted) ? .triggered : .yetToStart
  }

  /// The highest number of attempts at an item that is neither done nor dead.
  func attempts(_ entry: Entry) -> Int? {
    let most = entry.keys.filter { [.ready, .claimed, .held].contains(self[$0].state) }
      .map { self[$0].attempts }.max()
    return most == 0 ? nil : most
  }

  /// Number of items that come before it.
  func ahead(of key: Key, at wall: Instant) -> Int {
    keys.prefix { $0 < key }.count { isDue($0, at: wall) || isOrphaned($0) }
  }

  /// Whether it waits for a time that came with its entry.
  func isDelayed(_ key: Key, at wall: Instant) -> Bool {
    let item = self[key]
    return item.state == .ready && item.attempts == 0 && item.due > wall
  }

  /// The fate of an item in `explain`.
  func fate(_ key: Key, at wall: Instant) -> String {
    let item = self[key]
    switch item.state {
    case _ where isDue(key, at: wall) || isOrphaned(key): return "ready"
    case .ready: return "later due \(item.due.microseconds) attempts \(item.attempts)"
    case .claimed: return "claimed \(item.batch!.text) attempt \(item.attempts) until -"
    case .held:
      return "claimed \(item.batch!.text) attempt \(item.attempts) until \(item.due.microseconds)"
    case .done, .dead, .dropped: return item.state.rawValue
    }
  }

  /// The output of `list`: id, lane, state and data of each line.
  func list(at wall: Instant) -> [String] {
    let order: [ListedEntry.State] = [.claimed, .ready, .later, .dead, .done]
    return Lane.allCases.flatMap { lane in
      entries.filter { $0.lane == lane }.flatMap { entry in
        order.compactMap { state in
          let data = entry.keys.filter { listed($0, at: wall) == state }.map { self[$0].data }
          if data.isEmpty { return nil }
          let text = data.joined(separator: ",")
          let value = entry.slice == 0 ? text : "[\(text)]"
          return "\(entry.id.text) \(lane.name) \(state.rawValue) \(value)"
        }
      }
    }
  }

  private func listed(_ key: Key, at wall: Instant) -> ListedEntry.State? {
    switch self[key].state {
    case _ where isDue(key, at: wall) || isOrphaned(key): .ready
    case .ready: .later
    case .claimed, .held: .claimed
    case .dead: .dead
    case .done: .done
    case .dropped: nil
    }
  }

  func deadKeys() -> [Key] { keys.filter { self[$0].state == .dead } }
}

/// Names of items that are aside, to be found by number.
struct AsideLine {
  private let later: [AsideName]
  private let dead: [AsideName]

  init(_ names: [AsideName]) {
    later = names.filter { $0.kind == .later }
    dead = names.filter { $0.kind == .dead }
  }

  /// nil for what is not aside.
  func state(of number: Int) -> ItemState? {
    if let found = AsideLine.name(of: number, later) { return .later(found) }
    return AsideLine.name(of: number, dead).map(ItemState.dead)
  }

  private static func name(of number: Int, _ names: [AsideName]) -> AsideName? {
    let next = names.partition { $0.range.to.number <= number }
    guard next < names.count, names[next].range.from.number <= number else { return nil }
    return names[next]
  }
}

/// What an item is.
enum ItemState: Equatable {
  /// Never handed out, or given back unharmed.
  case ready
  case now(NowName.State)
  case later(AsideName)
  case dead(AsideName)

  /// Whether it was handed out at least once.
  var hasStarted: Bool {
    switch self {
    case .ready: false
    case .now(.again(_, let attempt, _)), .now(.claim(_, let attempt, _)): attempt > 0
    case .later(let name): attempts(name.waiting) > 0
    case .now, .dead: true
    }
  }

  var isDone: Bool { if case .now(.done) = self { true } else { false } }
  var isLost: Bool { self == .now(.lost) || self == .now(.dropped) }
  var isDead: Bool { if case .dead = self { true } else { false } }

  /// nil for what is done or dead, or was never tried.
  var attempts: Int? {
    switch self {
    case .now(.again(_, let attempt, _)), .now(.claim(_, let attempt, _)),
      .now(.hold(_, let attempt, _)):
      attempt
    case .later(let name): attempts(name.waiting)
    case .ready, .now(.done), .now(.lost), .now(.dropped), .dead: nil
    }
  }

  private func attempts(_ state: NowName.State?) -> Int {
    if case .again(_, let attempt, _) = state { attempt } else { 0 }
  }
}

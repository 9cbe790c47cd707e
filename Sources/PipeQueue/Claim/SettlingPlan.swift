/// The next state of each item of a claim, as far as names in now/ give it.
struct SettlingPlan {
  enum Fate: Equatable {
    case done, ready, again, lost
    /// Ready at once, although the delay of the line is not over.
    case undelayed
    /// Waits, attempts unchanged.
    case moved
    /// Stays claimed.
    case held

    /// Whether the items' history must be kept.
    var keepsHistory: Bool { [.again, .moved, .held, .ready, .undelayed].contains(self) }

    func state(of claimed: NowName.State, _ due: ReadyTime) -> NowName.State {
      guard case .claim(let id, let attempt, _) = claimed else { return held(claimed, due) }
      let batch = id.handedOut
      switch self {
      case .done: return .done
      case .lost: return .lost
      case .ready where attempt > 1, .undelayed where attempt > 1:
        return .again(batch: batch, attempt: attempt - 1, due: .now)
      case .ready: return .untried
      case .undelayed: return .again(batch: .revived, attempt: 0, due: .now)
      case .again: return .again(batch: batch, attempt: attempt, due: due)
      case .moved: return .again(batch: .revived, attempt: attempt, due: due)
      case .held: return claimed
      }
    }

    private func held(_ state: NowName.State, _ due: ReadyTime) -> NowName.State {
      guard case .hold(let batch, let attempt, _) = state else { return state }
      return self == .held
        ? state : self.state(of: .claim(batch: batch, attempt: attempt, owner: 0), due)
    }
  }

  struct Run {
    let items: Range<Int>
    let fate: Fate
  }

  /// Adjacent items that failed for the same reason.
  struct Failed {
    let part: Int
    var items: Range<Int>
    let failure: Failure
    /// Whether these are the first failed items of the part.
    let isFirst: Bool
  }

  struct Burial {
    let part: Int
    let item: Int
    let failure: Failure
  }

  /// By part, then by item of the part.
  private(set) var fates: [[Fate]] = []
  private(set) var failures: [Failed] = []
  private(set) var burials: [Burial] = []
  /// The items of each part.
  private let items: [Range<Int>]

  init(_ claim: borrowing Claim, _ retries: Int, _ outcome: (Int) -> Outcome?) {
    items = claim.parts.map(\.items)
    for (index, part) in claim.parts.enumerated() {
      let isLast = part.name.attempt! > retries
      // All its lines were damaged after it was claimed.
      if part.items.isEmpty { fates.append([.lost]) } else { fates.append([]) }
      for item in part.items {
        switch outcome(item) {
        case nil: fates[index].append(.held)
        case .done: fates[index].append(.done)
        case .giveBack:
          fates[index].append(claim.items[item].isDelayed ? .undelayed : .ready)
        case .wait: fates[index].append(.moved)
        case .retry(let failure) where !isLast: fail(index, item, failure)
        case .retry(let failure), .bury(let failure):
          fates[index].append(.done)
          burials.append(Burial(part: index, item: item, failure: failure))
        }
      }
    }
  }

  private mutating func fail(_ part: Int, _ item: Int, _ failure: Failure) {
    fates[part].append(.again)
    if let last = failures.last, last.part == part, last.items.upperBound == item,
      last.failure.isSame(failure)
    {
      failures[failures.count - 1].items = last.items.lowerBound..<(item + 1)
    } else {
      failures.append(
        Failed(
          part: part, items: item..<(item + 1), failure: failure,
          isFirst: failures.last?.part != part))
    }
  }

  /// Burials without room on the disk: their items are retried.
  mutating func unburied(_ refused: [Burial]) {
    for burial in refused {
      fates[burial.part][burial.item - items[burial.part].lowerBound] = .again
    }
  }

  func fate(_ burial: Burial) -> Fate {
    fates[burial.part][burial.item - items[burial.part].lowerBound]
  }

  /// The items with this fate, in order.
  func items(_ fate: Fate) -> [Range<Int>] {
    zip(items, fates).filter { items, _ in !items.isEmpty }.flatMap { items, fates in
      SettlingPlan.runs(fates, from: items.lowerBound).filter { $0.fate == fate }.map(\.items)
    }
  }

  static func runs(_ fates: [Fate], from start: Int) -> [Run] {
    var runs: [Run] = []
    for (index, fate) in fates.enumerated() {
      let item = start + index
      if let last = runs.last, last.fate == fate {
        runs[runs.count - 1] = Run(items: last.items.lowerBound..<(item + 1), fate: fate)
      } else {
        runs.append(Run(items: item..<(item + 1), fate: fate))
      }
    }
    return runs
  }
}

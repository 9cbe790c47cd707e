internal import Glibc

/// Numbers that a seed determines: SplitMix64 (Steele, Lea and Flood, 2014).
package struct SeededRandom {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// Another sequence, which this one determines.
  mutating func fork() -> SeededRandom { SeededRandom(seed: next()) }

  /// From 0 up to `limit`, which is positive and excluded.
  mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

  /// From 1 to `most`; each power of two is as likely as the next.
  mutating func scattered(to most: Int) -> Int {
    let bits = below(Int.bitWidth - most.leadingZeroBitCount)
    return min(most, (1 << bits) + below(1 << bits))
  }

  mutating func choose<Element>(_ all: [Element]) -> Element { all[below(all.count)] }
}

/// The programs of one life of the machine, what befalls them, and how it ends. The seed determines all of
/// it; what the programs make of it also depends on how they run side by side.
struct Life {
  /// What a program does. `settle`, `sendBack` and `bury` follow a `batch`.
  enum Role {
    case enqueueRaw, enqueueLines, serve
    case consume, consumeSingly, follow, command, failingCommand, batch, settle, sendBack, bury,
      revive, cancel, move, delay
    case route, fsck, prune, stats
  }

  var programs: [(role: Role, mishap: Mishap?, random: SeededRandom)] = []
  /// All processes are killed at this call, counted over all programs.
  let endsAtCall: Int
  /// Whether the power is cut then; otherwise the kernel survives.
  let isCut: Bool
  /// Bytes that the disk has left at the start; nil: no limit.
  let room: Int?
  /// For what the power cut leaves.
  var random: SeededRandom

  /// The programs that some lives in a row have. Most mixes leave out each kind at even odds: faults that need a few
  /// kinds at once are found sooner that way; see "Swarm Testing" (Groce et al., 2012).
  struct Mix {
    fileprivate var producers: [Role] = [.enqueueRaw, .enqueueLines, .serve]
    fileprivate var others: [Role] = [
      .consume, .consumeSingly, .consumeSingly, .follow, .command, .failingCommand, .batch, .batch,
      .revive, .cancel, .move, .delay, .route, .fsck, .prune, .stats,
    ]
    /// How many lives have it.
    static let lives = 50

    init(_ random: inout SeededRandom) {
      if random.below(4) == 0 { return }
      let always = random.choose(producers)
      producers = producers.filter { $0 == always || random.below(2) == 0 }
      // Something must be consumed.
      others = others.filter { $0 == .consume || random.below(2) == 0 }
    }
  }

  init(_ mix: Mix, _ random: inout SeededRandom) {
    endsAtCall = 20 + random.scattered(to: 4000)
    isCut = random.below(2) == 0
    room = random.below(8) == 0 ? random.below(1 << 20) : nil
    for _ in 0..<(2 + random.below(10)) {
      let role = random.choose(random.below(5) < 2 ? mix.producers : mix.others)
      programs.append((role, random.below(2) == 0 ? Mishap(&random) : nil, random.fork()))
    }
    self.random = random.fork()
  }
}

/// What befalls one program.
struct Mishap {
  /// The program's call that it befalls, from 1.
  let call: Int
  let kind: Kind

  enum Kind {
    /// SIGKILL instead of the call.
    case killBefore
    /// SIGKILL after the result of the call is sent; the program may have read it.
    case killAfter
    /// SIGSTOP after the call, until the others rest.
    case stop
    case terminate
    /// The call fails with this number of errno(3); with `lasting`, all calls of its kind do from now on.
    case fail(Int32, lasting: Bool)
    /// A write takes this part of the bytes.
    case short(Double)
  }

  init(_ random: inout SeededRandom) {
    call = random.scattered(to: random.below(4) == 0 ? 500 : 50)
    kind =
      switch random.below(10) {
      case 0, 1: .killBefore
      case 2, 3: .killAfter
      case 4: .stop
      case 5: .terminate
      case 6, 7:
        .fail(random.choose([EIO, EIO, ENOSPC, EDQUOT, ENFILE]), lasting: random.below(3) == 0)
      default: .short(Double(random.below(1000)) / 1000)
      }
  }
}

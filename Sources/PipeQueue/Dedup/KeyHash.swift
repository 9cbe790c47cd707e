internal import Glibc

/// A 64-bit hash: each 16 bytes are folded into the state by a 128-bit product. Without the secret
/// seed, an attacker cannot choose bytes that collide; equal hashes are compared byte by byte all
/// the same.
struct KeyHash {
  private let start: UInt64
  private let secret: UInt64

  init(seed: UInt64) {
    start = KeyHash.fold(seed ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db)
    secret = KeyHash.fold(seed &+ 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3) | 1
  }

  /// `domain` separates inputs that may have the same bytes but differ in meaning.
  func hash(_ bytes: UnsafeRawBufferPointer, domain: UInt64) -> UInt64 {
    var state = KeyHash.fold(start &+ domain, secret)
    var at = 0
    while at &+ 16 <= bytes.count {
      let low = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      let high = bytes.loadUnaligned(fromByteOffset: at &+ 8, as: UInt64.self)
      state = KeyHash.fold(low ^ secret, high ^ state)
      at &+= 16
    }
    var rest: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &rest) {
      $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[at...]))
    }
    state = KeyHash.fold(rest.0 ^ secret, rest.1 ^ state)
    return KeyHash.fold(state ^ UInt64(bytes.count), start ^ secret)
  }

  @inline(__always)
  private static func fold(_ one: UInt64, _ other: UInt64) -> UInt64 {
    let product = one.multipliedFullWidth(by: other)
    return product.high ^ product.low
  }
}

/// The hashes under which the index has a line.
struct Fingerprint {
  /// nil: the entry has no key.
  let key: UInt64?
  let content: UInt64

  init(_ line: SegmentLine, _ lane: Lane, _ hash: KeyHash) {
    key = line.key.map { hash.hash($0, domain: 0) }
    // The priority of a record is metadata of the queue; that of an id request is part of its
    // content.
    content = hash.hash(line.data, domain: line.isRecord ? 1 : 2 + UInt64(lane.rawValue))
  }

  /// The hash by which an equal earlier line is looked up.
  var wanted: UInt64 { key ?? content }
}

extension SegmentLine {
  /// Whether `earlier` answers for this line: the keys are equal or, if this line has no key, the
  /// contents are.
  func repeats(_ earlier: SegmentLine, _ lane: Lane, _ earlierLane: Lane) -> Bool {
    if let key { return earlier.key.map { areEqual($0, key) } ?? false }
    guard isRecord == earlier.isRecord, isRecord || lane == earlierLane else { return false }
    return areEqual(data, earlier.data)
  }
}

private func areEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
  one.count == other.count
    && (one.isEmpty || memcmp(one.baseAddress!, other.baseAddress!, one.count) == 0)
}

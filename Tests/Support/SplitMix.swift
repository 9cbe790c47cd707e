/// SplitMix64 of Steele, Lea and Flood: the same numbers in every run.
package struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  package mutating func number(_ range: ClosedRange<Int>) -> Int {
    Int.random(in: range, using: &self)
  }

  package mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
    Int64.random(in: range, using: &self)
  }

  package mutating func pick<T>(_ choices: [T]) -> T { choices[number(0...(choices.count - 1))] }

  /// True in `percent` of a hundred cases.
  package mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }
}

internal import PipeQueue

/// A claim in a place where several wait to be settled.
final class HeldClaim {
  private var claim: Claim?
  /// Where its bytes begin in all that was written.
  let start: Int
  /// Where each of its items ends in it.
  let ends: [Int]

  init(_ claim: consuming Claim, start: Int, ends: [Int] = []) {
    self.start = start
    self.ends = ends
    self.claim = consume claim
  }

  /// Once.
  func take() -> Claim { claim.take()! }
}

internal import PipeQueue

/// A claim in a place where several wait to be settled.
final class HeldClaim {
  private var claim: Claim?
  /// Where each of its items ends in all that was written.
  let ends: [Int]

  init(_ claim: consuming Claim, ends: [Int] = []) {
    self.ends = ends
    self.claim = consume claim
  }

  /// Once.
  func take() -> Claim { claim.take()! }
}

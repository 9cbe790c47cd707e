internal import PipeQueue

/// Boxes a claim, so that several can wait in a collection to be settled.
final class HeldClaim {
  private var claim: Claim?
  /// The output offset at which each item ends.
  let ends: [Int]

  init(_ claim: consuming Claim, ends: [Int] = []) {
    self.ends = ends
    self.claim = consume claim
  }

  /// Call this once.
  func take() -> Claim { claim.take()! }
}

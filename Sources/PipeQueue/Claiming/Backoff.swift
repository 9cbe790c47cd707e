/// How long a failed batch waits: doubling from `base` up to `most`, both microseconds.
package struct Backoff: Equatable {
  package var base: Int64
  package var most: Int64

  package init(base: Int64, most: Int64) {
    self.base = base
    self.most = most
  }

  /// Microseconds after the `attempt`th failure, from 1. Half of it is by chance, so that what failed
  /// together does not come back together ("equal jitter", Brooker, Exponential Backoff And Jitter, AWS
  /// Architecture Blog 2015): between once and twice `base` at first, and never more than `most`.
  package func delay(after attempt: Int, random: UInt64) -> Int64 {
    guard base > 0, most > 0 else { return 0 }
    let ceiling = min(most, attempt < 40 ? scaled(base, 1 << attempt) : most)
    let half = ceiling / 2
    return ceiling - half + Int64(random % UInt64(half + 1))
  }

  private func scaled(_ value: Int64, _ factor: Int64) -> Int64 {
    let (product, overflow) = value.multipliedReportingOverflow(by: factor)
    return overflow ? .max : product
  }
}

/// How much of what was settled was done, in items.
package struct Success {
  package let acknowledged: Int
  /// Retried and buried.
  package let failed: Int
  /// From 0 to 1; nil when nothing was settled, as the two bounds are.
  package let ratio: Double?
  /// The 95 % interval, Wilson's.
  package let low: Double?
  package let high: Double?

  package init(acknowledged: Int, failed: Int) {
    self.acknowledged = max(0, acknowledged)
    self.failed = max(0, failed)
    let proportion = Proportion(part: acknowledged, rest: failed)
    ratio = proportion.ratio
    low = proportion.interval?.low
    high = proportion.interval?.high
  }
}

extension Activity {
  package var success: Success {
    let failed = retried.addingReportingOverflow(buried)
    return Success(
      acknowledged: acknowledged, failed: failed.overflow ? .max : failed.partialValue)
  }
}

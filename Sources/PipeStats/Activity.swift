/// What was settled in some time. Times are microseconds since the epoch.
package struct Activity {
  /// Of each acknowledged item: accepted until claimed.
  package var wait = Latency()
  /// Of each acknowledged item: claimed until settled.
  package var service = Latency()
  /// Of each acknowledged item: accepted until settled.
  package var total = Latency()
  /// Claimed until settled, once for each acknowledged batch.
  package var batches = Latency()
  /// The same for each batch that failed.
  package var failures = Latency()
  /// Items.
  package var acknowledged = 0
  package var retried = 0
  package var buried = 0
  /// When the first and the last of them was settled.
  package var first: Int64?
  package var last: Int64?

  package init() {}
}

/// Times of some of what was settled, of one kind and one tag.
package struct Recording {
  package enum Kind: String, CaseIterable {
    /// Of each item that is done: accepted until claimed.
    case wait
    /// Of each item that is done: claimed until settled.
    case service
    /// Of each item that is done: accepted until settled.
    case total
    /// Of each batch, the items of which are done: claimed until settled.
    case batches
    /// Of each batch that failed: claimed until settled.
    case retried, buried
  }

  package let kind: Kind
  package let tag: String?
  /// When the first and the last of them was settled, microseconds since the epoch.
  package let first: Int64
  package let last: Int64
  /// Between the two.
  package var middle: Int64 { first + (last - first) / 2 }
  /// Of batches, those that are in them.
  package let items: Int
  /// Microseconds, each the longest of a class of 3 significant digits.
  package let times: [(microseconds: Int, count: Int)]
}

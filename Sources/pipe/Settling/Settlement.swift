internal import PipeQueue

/// What one settlement line says: how a claim, or some of its items, went.
struct Settlement {
  enum Word {
    case ok, retry, bury
  }

  let claim: EntryID
  /// Of the items that have none of their own.
  let result: Word?
  let reason: String?
  /// nil: all that is left of the claim.
  let items: [ItemSettlement]?
}

struct ItemSettlement {
  let id: EntryID
  /// Counts from 1 within its entry.
  let item: Int
  let result: Settlement.Word?
  let reason: String?
}

internal import Glibc

/// The items of an id request's compact list, `[1,2,3]`.
struct ItemList {
  private var rest: UnsafeRawBufferPointer

  init(_ list: UnsafeRawBufferPointer, skipping count: Int) {
    rest = list.count > 2 ? cut(list, 1, list.count - 1) : cut(list, 0, 0)
    for _ in 0..<count { _ = next() }
  }

  /// Bytes of it that are not yet passed.
  var left: Int { rest.count }

  mutating func next() -> UnsafeRawBufferPointer? {
    guard !rest.isEmpty else { return nil }
    let comma = memchr(rest.baseAddress!, 0x2c, rest.count)
    let end = comma.map { UnsafeRawPointer($0) - rest.baseAddress! } ?? rest.count
    let item = cut(rest, 0, end)
    rest = end < rest.count ? cut(rest, end + 1, rest.count) : cut(rest, 0, 0)
    return item
  }
}

/// How far a list has been gone through: the number of the item that comes next, and the bytes left.
struct ItemMark {
  let id: EntryID
  let number: Int
  let rest: Int
}

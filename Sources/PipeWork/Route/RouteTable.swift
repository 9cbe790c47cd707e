internal import PipeIO
package import PipeJSON
internal import PipeQueue

/// Maps an entry to its destinations.
package enum RouteTable {
  /// The destination that a member's value names, otherwise `otherwise`.
  case byValue(FieldPath, [String: Destination], otherwise: Destination?)
  /// All of them.
  case toAll([Destination])

  /// Empty if the entry has no route.
  func destinations(of entry: StoredEntry) -> [Destination] {
    switch self {
    case .toAll(let all): return all
    case .byValue(let path, let named, let otherwise):
      let value = try? RouteTable.value(at: path, of: entry)
      return (value.flatMap { named[$0] } ?? otherwise).map { [$0] } ?? []
    }
  }

  /// Why an entry has no route.
  func reason(_ entry: StoredEntry) -> String {
    guard case .byValue(let path, _, _) = self else { return "" }
    do throws(JSONFault) {
      guard let value = try RouteTable.value(at: path, of: entry) else {
        return "no route: no such member"
      }
      return "no route for \(printable(String(value.prefix(100))))"
    } catch { return "no route: \(error.reason.text)" }
  }

  /// A string's characters, or the text of a number, true, false or null; nil for anything else.
  private static func value(
    at path: FieldPath, of entry: StoredEntry
  ) throws(JSONFault) -> String? {
    guard entry.entry.ids == nil, let span = try find(path, in: entry.data) else { return nil }
    let text = UnsafeRawBufferPointer(rebasing: entry.data[span.range])
    switch span.kind {
    case .object, .array: return nil
    case .string: return String(decoding: decodeString(text), as: UTF8.self)
    default: return String(decoding: text, as: UTF8.self)
    }
  }
}

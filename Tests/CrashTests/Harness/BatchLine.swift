import TestSupport

/// A parsed line about items.
struct BatchLine {
  struct Item {
    let name: String

    init(_ line: String) throws { self.init(try jsonObject(line)) }

    fileprivate init(_ object: [String: Any]) {
      name = "\(object["id"] ?? "").\(object["item"] ?? "")"
    }
  }

  let claim: String
  let attempt: Int
  let items: [Item]

  init(_ line: String) throws {
    let object = try jsonObject(line)
    claim = object["claim"] as? String ?? ""
    attempt = object["attempt"] as? Int ?? 0
    items = (object["items"] as? [[String: Any]] ?? []).map { Item($0) }
  }
}

/// What a body is said to be.
enum ContentType {
  case json, lines, other

  /// None counts as JSON.
  init(_ header: String?) {
    guard let header else {
      self = .json
      return
    }
    let type = header.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
    switch type {
    case "application/x-ndjson", "application/jsonl": self = .lines
    case "application/json": self = .json
    default: self = type.hasPrefix("application/") && type.hasSuffix("+json") ? .json : .other
    }
  }
}

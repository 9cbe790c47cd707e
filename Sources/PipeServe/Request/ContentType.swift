/// The declared type of a body.
enum ContentType {
  case json, lines, other

  /// No header counts as JSON. Parameters are ignored: JSON is UTF-8 whatever they say (RFC 8259,
  /// 11).
  init(_ header: String?) {
    let type = (header ?? "").prefix { $0 != ";" }.lowercased()
    switch type.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ") {
    case "", "application/json": self = .json
    case "application/x-ndjson", "application/jsonl": self = .lines
    case let type where type.hasPrefix("application/") && type.hasSuffix("+json"): self = .json
    default: self = .other
    }
  }
}

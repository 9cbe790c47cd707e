/// A request target: a path with or without a query, or a whole URL.
struct Target {
  /// The path as received, without the query; `*` for the server itself.
  let path: String
  /// The host of a whole URL, with its port.
  let host: String?

  /// nil: not a request target.
  init?(_ text: String) {
    var rest = text[...]
    let scheme = rest.prefix { $0 != "/" }.lowercased()
    if scheme == "http:" || scheme == "https:", rest.dropFirst(scheme.count).hasPrefix("//") {
      rest = rest.dropFirst(scheme.count + 2)
      let name = rest.prefix { $0 != "/" && $0 != "?" }
      host = String(name)
      rest = rest[name.endIndex...]
      if rest.first != "/" { rest = "/" + rest }
    } else {
      host = nil
    }
    guard rest.first == "/" || rest == "*" else { return nil }
    path = String(rest.prefix { $0 != "?" })
  }
}

/// Whether the text is a name or an address, with or without a port (RFC 9110, 7.2).
func isHost(_ text: String) -> Bool {
  var rest = text.utf8[...]
  if rest.first == UInt8(ascii: "[") {
    guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
    let address = rest[..<end].dropFirst()
    let isAddress = address.allSatisfy {
      isHexadecimal($0) || $0 == UInt8(ascii: ":") || $0 == 0x2e
    }
    guard isAddress, !address.isEmpty else { return false }
    rest = rest[end...].dropFirst()
  } else {
    let name = rest.prefix { isNameByte($0) }
    if name.isEmpty { return false }
    rest = rest[name.endIndex...]
  }
  guard let colon = rest.first else { return true }
  return colon == UInt8(ascii: ":") && rest.count <= 6 && rest.dropFirst().allSatisfy(isDigit)
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

private func isHexadecimal(_ byte: UInt8) -> Bool {
  isDigit(byte) || (0x61...0x66).contains(byte | 0x20)
}

private func isNameByte(_ byte: UInt8) -> Bool {
  isDigit(byte) || (0x61...0x7a).contains(byte | 0x20) || "-._~".utf8.contains(byte)
}

import Foundation
import TestSupport

/// A line that is fed to a queue, and the items that must come out of it.
struct Entry {
  let line: String
  let items: [String]

  /// A record unlike all others, with bytes that a careless program would change.
  static func record(_ number: Int, _ priority: String? = nil, bytes: Int = 0) -> Entry {
    let lane = priority.map { #""priority":"\#($0)","# } ?? ""
    let padding = String(repeating: "x", count: bytes)
    let body = #"{\#(lane)"n":\#(number), "a":1.0e+2,"a":0.10,"t":"å\u00e5\/","pad":"\#(padding)""#
    let value = #"\#(body),"sum":"\#(checksum(body))"}"#
    return Entry(line: value, items: [value])
  }

  /// An id request whose ids no other request has.
  static func ids(_ number: Int, count: Int, _ priority: String) -> Entry {
    let ids = (1...count).map { String(9_000_000_000_000_000_000 + number * 1000 + $0) }
    return Entry(
      line: #"{"ids":[\#(ids.joined(separator: ", "))],"priority":"\#(priority)"}"#, items: ids)
  }

  /// As `ingest` writes it, with an id that was generated long before.
  func entryLine(mintedAt milliseconds: UInt64, serial: Int) -> Entry {
    let id = Entry.base32(milliseconds, 10) + Entry.base32(UInt64(serial), 16)
    let data = items == [line] ? #""data":\#(line)"# : #""ids":[\#(items.joined(separator: ","))]"#
    let time = #""priority":"MEDIUM","time":"2026-01-01T00:00:00Z""#
    return Entry(line: #"{"id":"\#(id)",\#(time),\#(data)}"#, items: items)
  }

  private static func base32(_ value: UInt64, _ digits: Int) -> String {
    let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    return String(
      (0..<digits).reversed().map { at in
        at < 13 ? alphabet[Int(value >> UInt64(at * 5) & 31)] : "0"
      })
  }

  // FNV-1a: a line by itself proves that it is whole.
  private static func checksum(_ text: String) -> String {
    let sum = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return String(sum, radix: 16)
  }
}

extension [Entry] {
  var text: String { map { $0.line + "\n" }.joined() }
}

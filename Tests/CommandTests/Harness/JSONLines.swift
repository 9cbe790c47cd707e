import Foundation
import TestSupport

extension Dictionary where Key == String, Value == Any {
  /// The data of a batch line's items, as `[1, 2]`.
  var data: [Int] {
    (self["items"] as? [[String: Any]] ?? []).map { $0["data"] as? Int ?? -1 }
  }
}

extension String {
  /// The line as a JSON object; empty if it is not one.
  var object: [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(utf8)) as? [String: Any]) ?? [:]
  }
}

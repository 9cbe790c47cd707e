import Foundation
import TestSupport

/// A response of the gateway.
struct Reply: CustomStringConvertible {
  let status: Int
  /// Names in lower case.
  let headers: [String: String]
  let body: String

  var description: String { "\(status) \(headers)\n\(body)" }

  func object() throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
    else { throw Failure("no object: \(self)") }
    return object
  }

  /// The detail of `{"detail":"…","status_code":N}`; throws unless N is the status.
  func detail() throws -> String {
    let object = try object()
    guard object["status_code"] as? Int == status, let detail = object["detail"] as? String else {
      throw Failure("no error: \(self)")
    }
    return detail
  }

  func receipt() throws -> String {
    guard let id = try object()["ingestion_id"] as? String else { throw Failure("no id: \(self)") }
    return id
  }
}

import PipeQueue
import Testing

@testable import PipeIntake

@Suite("Validated records")
struct RecordValidatorTests {
  private func judge(_ line: String, _ validator: RecordValidator = RecordValidator()) -> String {
    var validator = validator
    return Array(line.utf8).withUnsafeBytes { bytes in
      do throws(Rejection) {
        let record = try validator.judge(bytes)
        let data = String(decoding: bytes[record.data], as: UTF8.self)
        if case .ids(_, _, let count) = record {
          return "\(record.priority.name) \(count) ids \(data)"
        }
        return "\(record.priority.name) \(data)"
      } catch { return "\(error.byte ?? 0): \(error.reason)" }
    }
  }

  @Test(
    "a line is a record, or an id request if it has no other members",
    arguments: [
      (#"{"a":1}"#, #"MEDIUM {"a":1}"#), (#" [1] "#, "MEDIUM [1]"),
      (#"{"a":1,"priority":"HIGH"}"#, #"HIGH {"a":1,"priority":"HIGH"}"#),
      (#"{"a":1,"priority":7}"#, #"MEDIUM {"a":1,"priority":7}"#),
      (#"{"ids":[1, 2]}"#, "MEDIUM 2 ids [1, 2]"),
      (#"{"priority":"LOW","ids":[3]}"#, "LOW 1 ids [3]"),
      (#"{"ids":[1],"x":0}"#, #"MEDIUM {"ids":[1],"x":0}"#),
    ])
  func kinds(line: String, expected: String) { #expect(judge(line) == expected) }

  @Test(
    "a rejection names the byte and the reason",
    arguments: [
      (#"{"priority":"LOW"}"#, "0: id request has no ids"),
      (#"{"ids":7}"#, "8: ids is not a list"), (#"{"ids":[]}"#, "9: ids list cannot be empty"),
      (#"{"ids":[1],"priority":"URGENT"}"#, "23: priority must be HIGH, MEDIUM or LOW"),
      (#"{"a":}"#, "6: expected a value"),
    ])
  func rejections(line: String, expected: String) { #expect(judge(line) == expected) }

  @Test("with records only, the members of a line mean nothing, and the priority is the given one")
  func recordsOnly() {
    let validator = RecordValidator(recordsOnly: true, fallback: .low)
    for line in [#"{"ids":[1]}"#, #"{"priority":"HIGH"}"#, "7"] {
      #expect(judge(line, validator) == "LOW \(line)")
    }
  }

  @Test("a required member must be there and have its type")
  func requirements() throws {
    let needed = try #require(Requirement(argument: "data.sensor:string"))
    let validator = RecordValidator(requirements: [needed])
    #expect(judge(#"{"data":{"sensor":"a"}}"#, validator).hasPrefix("MEDIUM"))
    #expect(judge(#"{"data":{}}"#, validator) == "0: data.sensor is missing")
    #expect(judge(#"{"data":{"sensor":1}}"#, validator) == "19: data.sensor is not of type string")
    #expect(judge("7", validator) == "0: not an object, so it has no data.sensor")
    #expect(Requirement(argument: "data.sensor") == nil)
    #expect(Requirement(argument: "data:word") == nil)
  }
}

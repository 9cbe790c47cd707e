import Testing

@testable import PipeJSON

@Suite struct IDTests {
  private func list(_ text: String) -> Result<Int, JSONFault> {
    lend(Array(text.utf8)) { array in
      Result { () throws(JSONFault) in try IDList(validating: array).count }
    }
  }

  @Test(
    "ids from 1 to 10^19 + 7 are accepted",
    arguments: [
      "1", "9", "10", "12345678", "9223372036854775807", "9223372036854775808",
      "9999999999999999999", "10000000000000000000", "10000000000000000007",
    ])
  func inRange(_ id: String) {
    #expect(list("[\(id)]") == .success(1))
    #expect(list("[ 1 ,\t\(id) , 2\r]") == .success(3))
  }

  @Test(
    "ids out of range are a fault at the id",
    arguments: [
      "0", "10000000000000000008", "10000000000000000010", "11000000000000000000",
      "18446744073709551616", "99999999999999999999", "100000000000000000000",
      "1000000000000000000000007",
    ])
  func outOfRange(_ id: String) {
    #expect(list("[\(id)]") == .failure(JSONFault(1, .idOutOfRange)))
    #expect(list("[1, 2 ,\(id),0]") == .failure(JSONFault(7, .idOutOfRange)))
  }

  @Test(
    "an id that is not in digits only is a fault at the id",
    arguments: [
      "\"1\"", "1.0", "1e3", "1E3", "-1", "-0", "0.5", "true", "null", "[1]", "{}", "[]",
      "12345678901234567890123.5",
    ])
  func notDigits(_ id: String) {
    #expect(list("[\(id)]") == .failure(JSONFault(1, .idNotDigits)))
    #expect(list("[1,2, \(id) ]") == .failure(JSONFault(6, .idNotDigits)))
  }

  @Test("an empty id list is a fault")
  func empty() {
    #expect(list("[]") == .failure(JSONFault(1, .emptyIDs)))
    #expect(list("[ \t]").fault?.reason.text == "ids list cannot be empty")
  }

  @Test("the compact form of an id list has no white space")
  func compact() {
    for (text, compact) in [("[1,2,3]", "[1,2,3]"), ("[ 1 ,\t2\r, 3 ]", "[1,2,3]"), ("[1]", "[1]")]
    {
      var out = Array("x".utf8)
      lend(Array(text.utf8)) { IDList.appendCompact($0, to: &out) }
      #expect(String(decoding: out, as: UTF8.self) == "x" + compact)
    }
  }
}

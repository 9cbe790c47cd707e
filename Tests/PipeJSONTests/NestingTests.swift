import TestSupport
import Testing

@testable import PipeJSON

@Suite struct NestingTests {
  @Test("512 open brackets are accepted, whatever their mixture", arguments: 0..<8)
  func deepest(_ seed: Int) {
    var random = SplitMix(seed: UInt64(seed))
    #expect(scan(nested(512, random: &random)).fault == nil)
  }

  @Test("the 513th open bracket is a fault, even if it is closed at once")
  func tooDeep() {
    for inner in ["[", "[]", "{", "{}", "[1]"] {
      let arrays = String(repeating: "[", count: 512) + inner
      #expect(scan(arrays).fault == JSONFault(512, .tooDeep))
      let objects = String(repeating: "{\"a\":", count: 512) + inner
      #expect(scan(objects).fault == JSONFault(512 * 5, .tooDeep))
    }
  }

  @Test("a hundred thousand open brackets are a fault like any other")
  func farTooDeep() {
    for open in ["[", "{\"a\":", "[{\"a\":"] {
      let text = String(repeating: open, count: 100_000)
      #expect(scan(text).fault?.reason == .tooDeep)
    }
  }

  @Test("a bracket closed by the other kind is found at every depth")
  func wrongClose() {
    for depth in 1...512 {
      let open = String(repeating: "[", count: depth) + "0"
      let right = String(repeating: "]", count: depth - 1)
      #expect(scan(open + right + "}").fault == JSONFault(depth * 2, .expectedCommaOrBracket))
    }
  }

  @Test("brackets side by side are not deep")
  func wide() {
    let row = [String](repeating: "[{}]", count: 2000).joined(separator: ",")
    #expect(scan("[\(row)]").fault == nil)
  }

  /// Members and elements before and after each bracket show that its kind is remembered.
  private func nested(_ depth: Int, random: inout SplitMix) -> String {
    var open = ""
    var close = ""
    for _ in 0..<depth {
      let isObject = Bool.random(using: &random)
      open += isObject ? "{\"a\":1,\"b\":" : "[2,"
      close = (isObject ? ",\"c\":3}" : ",4]") + close
    }
    return open + "0" + close
  }
}

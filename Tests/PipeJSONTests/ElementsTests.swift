import Testing

@testable import PipeJSON

@Suite struct ElementsTests {
  /// The elements of the member `items` of a line, as text with their kinds.
  private func elements(_ line: String) -> [String] {
    let bytes = Array(line.utf8)
    return lend(bytes) { line in
      var scanner = LineScanner(watching: ["items"])
      guard (try? scanner.scan(line)) != nil, let array = scanner[0] else { return ["no items"] }
      return Elements(of: array, in: line).map {
        "\($0.kind) " + String(decoding: line[part: $0.range], as: UTF8.self)
      }
    }
  }

  @Test("each element of an array is found, in order, with its kind")
  func kinds() {
    #expect(
      elements(#"{"items":[1,-2.5e3,"x",{"a":[2]},[3,[4]],true,null]}"#) == [
        "integer 1", "number -2.5e3", #"string "x""#, #"object {"a":[2]}"#, "array [3,[4]]",
        "boolean true", "null null",
      ])
  }

  @Test("white space around elements belongs to none of them")
  func space() {
    #expect(
      elements("{\"items\":[ 1 ,\t{ \"a\" : 1 }\r, \"]\" ]  }") == [
        "integer 1", "object { \"a\" : 1 }", "string \"]\"",
      ])
  }

  @Test("an empty array has no elements", arguments: ["[]", "[ ]", "[\t\r ]"])
  func empty(array: String) {
    #expect(elements("{\"items\":\(array),\"more\":[1]}").isEmpty)
  }

  @Test("brackets, commas and quotes inside strings end nothing")
  func strings() {
    #expect(
      elements(#"{"items":["],","\"]",","]}"#) == [
        #"string "],""#, #"string "\"]""#, #"string ",""#,
      ])
  }

  @Test("text after the array is not part of it")
  func rest() {
    #expect(elements(#"{"a":[7],"items":[1,[]],"b":[8]}"#) == ["integer 1", "array []"])
  }

  @Test("a deep element at the limit is found whole")
  func deep() {
    // The object and the array count as well.
    let depth = Nesting.limit - 2
    let value = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(elements("{\"items\":[\(value),1]}") == ["array \(value)", "integer 1"])
  }
}

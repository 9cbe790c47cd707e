import Testing

@testable import PipeWork

@Suite("A selection by a member")
struct MatchTests {
  @Test(
    "a member has a value if its text is that value",
    arguments: [
      ("kind=mail", #"{"kind":"mail"}"#, true), ("kind=mail", #"{"kind":"Mail"}"#, false),
      ("n=1.50", #"{"n":1.50}"#, true), ("n=1.5", #"{"n":1.50}"#, false),
      ("a.b=true", #"{"a":{"b":true}}"#, true), ("a.b=true", #"{"a":{"b":"true"}}"#, true),
      ("kind=", #"{"kind":""}"#, true), ("kind=mail", "7", false), ("kind=mail", "{}", false),
    ])
  func holds(text: String, data: String, expected: Bool) throws {
    #expect(try #require(WaitingSelection.Match(text)).holds(Array(data.utf8)) == expected)
  }

  @Test("the last equals sign separates the member from its value")
  func equals() {
    #expect(WaitingSelection.Match("kind") == nil)
    #expect(WaitingSelection.Match("a=b=c")?.holds(Array(#"{"a=b":"c"}"#.utf8)) == true)
  }
}

import Testing

@testable import PipeJSON

@Suite struct WatchedMemberTests {
  private let names = ["id", "priority", "time", "data", "ids", "key", "ingestion_id"]

  /// The watched members of a line, as text.
  private func members(_ text: String, watching names: [String]? = nil) -> [String: String] {
    let names = names ?? self.names
    var scanner = LineScanner(watching: names)
    return members(text, names, &scanner)
  }

  private func members(
    _ text: String, _ names: [String], _ scanner: inout LineScanner
  ) -> [String: String] {
    let bytes = Array(text.utf8)
    let result = lend(bytes) { line in
      Result { () throws(JSONFault) in try scanner.scan(line) }
    }
    #expect(result.fault == nil)
    var found: [String: String] = [:]
    for (index, name) in names.enumerated() {
      guard let span = scanner[index] else { continue }
      found[name] = String(decoding: bytes[span.range], as: UTF8.self)
    }
    return found
  }

  @Test("the value of each watched member is found, without white space")
  func values() {
    #expect(members(#"{"id":1,"data":{"id":2},"other":3}"#) == ["id": "1", "data": #"{"id":2}"#])
    #expect(members("{ \"ids\" : [ 1 ] , \"key\":\t\"x\" }") == ["ids": "[ 1 ]", "key": "\"x\""])
    #expect(members(#"{"priority":"HIGH","ingestion_id":true}"#).count == 2)
    #expect(members(#"{"key":null}"#) == ["key": "null"])
  }

  @Test("only a member of exactly that name is watched")
  func similarNames() {
    let others =
      ["i", "idx", "ID", "Id", "id ", "prioritx", "priority1", "prioritz", "ingestion_i"]
      + ["ingestion_ie", "ingestionXid", "tim", "tima", "", String(repeating: "i", count: 66)]
    for name in others {
      #expect(members("{\"\(name)\":1}").isEmpty)
    }
  }

  @Test("names with the same beginning are distinguished")
  func sameBeginnings() {
    let names = ["priority", "priority_", "priority_class", "prio"]
    for name in names {
      #expect(members("{\"\(name)\":1}", watching: names) == [name: "1"])
    }
    #expect(members(#"{"priority-":1,"priority_clasp":2,"pri":3}"#, watching: names).isEmpty)
  }

  @Test("a watched name is recognized at the very end of the line")
  func nearEnd() {
    #expect(members(#"{"id":1}"#) == ["id": "1"])
    #expect(members(#"{"i":1}"#, watching: ["i", ""]) == ["i": "1"])
    #expect(members(#"{"":1}"#, watching: ["i", ""]) == ["": "1"])
  }

  @Test("a watched name written with escapes is the same name")
  func escapes() {
    #expect(members(#"{"\u0069ds":[1]}"#) == ["ids": "[1]"])
    #expect(members(#"{"d\u0061t\u0061":1}"#) == ["data": "1"])
    #expect(members(#"{"\\u0069ds":[1],"\ud83d\udc4d":2}"#).isEmpty)
  }

  @Test("only an object's own members are watched")
  func otherLevels() {
    #expect(members(#"[{"id":1}]"#).isEmpty)
    #expect(members(#"{"a":{"id":1},"b":[{"id":2}]}"#).isEmpty)
    #expect(members(#""id""#).isEmpty)
  }

  @Test("a watched member that comes twice is a fault at the second name")
  func duplicates() {
    let duplicate = JSONFault.Reason.duplicateMember("ids")
    #expect(scan(#"{"ids":1,"ids":2}"#, watching: names).fault == JSONFault(9, duplicate))
    #expect(scan(#"{"ids":1,"\u0069ds":2}"#, watching: names).fault == JSONFault(9, duplicate))
    #expect(scan(#"{"\u0069ds":1, "ids":2}"#, watching: names).fault == JSONFault(15, duplicate))
    #expect(scan(#"{"ids":1,"ids":2}"#, watching: ["id"]).fault == nil)
    #expect(scan(#"{"x":{"ids":1,"ids":2},"x":1}"#, watching: names).fault == nil)
  }

  @Test("members found in one line are forgotten before the next")
  func reset() {
    var scanner = LineScanner(watching: names)
    #expect(members(#"{"id":1,"x":2,"y":3}"#, names, &scanner).count == 1)
    #expect(scanner.memberCount == 3)
    #expect(members("[1]", names, &scanner).isEmpty)
    #expect(scanner.memberCount == 0)
    #expect(members(#"{"key":1}"#, names, &scanner) == ["key": "1"])
    for bad in [#"{"id":1"#, #"{"id":1} x"#, #"{"id":1,}"#] {
      let result = lend(Array(bad.utf8)) { line in
        Result { () throws(JSONFault) in try scanner.scan(line) }
      }
      #expect(result.fault != nil)
      #expect(scanner[0] == nil && scanner[5] == nil && scanner.memberCount == 0)
    }
  }

  @Test("sixteen names can be watched")
  func sixteen() {
    let many = (0..<16).map { "name\($0)" }
    let line = "{" + many.map { "\"\($0)\":\"\($0)\"" }.joined(separator: ",") + "}"
    let found = members(line, watching: many)
    #expect(found.count == 16)
    for name in many { #expect(found[name] == "\"\(name)\"") }
  }
}

internal import PipeJSON

/// `--require data.sensor:string`: a member that each record must have, and its type.
package struct Requirement {
  let name: String
  let path: FieldPath
  let type: FieldType

  package init?(argument: String) {
    guard let colon = argument.lastIndex(of: ":"),
      let path = FieldPath(String(argument[..<colon])),
      let type = FieldType(rawValue: String(argument[argument.index(after: colon)...]))
    else { return nil }
    name = String(argument[..<colon])
    self.path = path
    self.type = type
  }

  func check(_ line: UnsafeRawBufferPointer, _ value: Span) throws(Rejection) {
    guard value.kind == .object else { throw Rejection("not an object, so it has no \(name)") }
    let object = UnsafeRawBufferPointer(rebasing: line[value.range])
    let found: Span?
    do throws(JSONFault) { found = try find(path, in: object) } catch {
      throw Rejection(error, at: value.range.lowerBound)
    }
    guard let found else { throw Rejection("\(name) is missing") }
    guard matches(type, found, in: object) else {
      throw Rejection(
        "\(name) is not of type \(type.rawValue)",
        byte: value.range.lowerBound + found.range.lowerBound + 1)
    }
  }
}

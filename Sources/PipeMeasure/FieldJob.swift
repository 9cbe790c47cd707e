internal import Glibc
internal import PipeIntake
package import PipeIO
package import PipeJSON
internal import PipeStats

/// `pipe stats --field`: percentiles of a number in JSON Lines. It needs no queue.
package struct FieldJob {
  let name: String
  let path: FieldPath
  let json: Bool

  package init(name: String, path: FieldPath, json: Bool) {
    self.name = name
    self.path = path
    self.json = json
  }

  /// Longest line in bytes; any record that a queue takes by default is shorter.
  private static let longest = 64 << 20

  package func run() throws(Fault) -> Int32 {
    let diagnostics = Diagnostics(command: "stats")
    var lines = LineLoop(
      diagnostics, rejects: try RejectFile(nil), limit: FieldJob.longest, limitAdvice: "")
    var scanner = LineScanner(watching: [])
    var sample = NumberSample()
    var skipped = 0
    lines.begin(Input.standard)
    while let event = try lines.next() {
      guard case .line(let line) = event else { continue }
      do throws(Rejection) {
        if let value = try number(in: line, &scanner) {
          sample.record(value)
        } else {
          skipped += 1
        }
      } catch { try lines.reject(error) }
    }
    let output = Output()
    output.append(json ? sample.line(skipped: skipped) : sample.table(printable(name)))
    try output.flush()
    if sample.count == 0 {
      // A name with dots may be a path or one member: the message gives both.
      let other = path.asOneName.map {
        "; a member with dots in its name is written \(printable($0))"
      }
      diagnostics.say("no line has a numeric member \(printable(name))" + (other ?? ""))
    } else if skipped > 0 {
      diagnostics.say(
        "\(skipped) of \(lines.lines) lines have no numeric member \(printable(name))")
    }
    let status = lines.conclusion()
    return status == Exit.fine && sample.count == 0 ? Exit.someFailed : status
  }

  private func number(
    in line: UnsafeRawBufferPointer, _ scanner: inout LineScanner
  ) throws(Rejection) -> SampledNumber? {
    let found: Span?
    do throws(JSONFault) {
      let value = try scanner.scan(line)
      guard value.kind == .object else { return nil }
      let object = UnsafeRawBufferPointer(rebasing: line[value.range])
      found = try find(path, in: object)
      guard let found, found.kind == .number || found.kind == .integer else { return nil }
      let text = String(decoding: object[found.range], as: UTF8.self)
      if found.kind == .integer, let whole = SampledNumber(whole: text) { return whole }
      let number = strtod(text, nil)
      return number.isFinite ? SampledNumber(number) : nil
    } catch {
      throw Rejection(error)
    }
  }
}

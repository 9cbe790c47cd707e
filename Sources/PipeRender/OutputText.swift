package import PipeIO
package import PipeQueue
internal import PipeTime

/// Kept output as `log` prints it.
package enum OutputText {
  package typealias Kept = (items: ClosedRange<Int>, output: AttemptOutput)

  /// The attempts to show: those with this number, or the last of each run of items. `every`: all, if no
  /// number is given.
  package static func chosen(_ all: [Kept], attempt: Int?, every: Bool) -> [Kept] {
    if let attempt { return all.filter { $0.output.attempt == attempt } }
    if every { return all }
    var last: [ClosedRange<Int>: Kept] = [:]
    for kept in all where kept.output.value == nil { last[kept.items] = kept }
    return last.values.sorted { $0.items.lowerBound < $1.items.lowerBound }
  }

  /// Appends a stream, with a line in the place of what was cut out.
  package static func append(_ stream: KeptOutput, to output: Output) {
    output.bytes += stream.head
    if stream.cut > 0 {
      if stream.head.last != 0x0a { output.append("\n") }
      output.append("… \(stream.cut) bytes cut …\n")
    }
    output.bytes += stream.tail
  }

  /// `01J… item 2, attempt 1: exit 0 after 3.2 s`
  package static func ending(
    _ id: String, _ items: ClosedRange<Int>, _ attempt: AttemptOutput
  ) -> String {
    let which =
      items.count > 1
      ? " items \(items.lowerBound) to \(items.upperBound)"
      : items.lowerBound > 1 ? " item \(items.lowerBound)" : ""
    let how =
      attempt.exitStatus.map { "exit \($0)" } ?? attempt.signal.map { "killed by signal \($0)" }
      ?? "ended"
    let long = attempt.started.map { " after \((attempt.ended - $0).words)" } ?? ""
    return "\(id)\(which), attempt \(attempt.attempt): \(how)\(long)"
  }

  /// `{"id":"01J…","item":1,"attempt":1,"started_at":"…","ended_at":"…","exit_status":0,"signal":null,"stdout":"…","stdout_bytes":3,"stderr":"","stderr_bytes":0}`
  package static func appendLine(
    _ id: String, _ items: ClosedRange<Int>, _ attempt: AttemptOutput, to output: Output
  ) {
    output.append(#"{"id":"\#(id)","item":\#(items.lowerBound)"#)
    if items.count > 1 { output.append(#","items":\#(items.count)"#) }
    output.append(#","attempt":\#(attempt.attempt),"started_at":"#)
    output.appendTime(attempt.started)
    output.append(#","ended_at":"#)
    output.appendTime(attempt.ended)
    if let value = attempt.value {
      output.append(#","output":"#)
      output.bytes += value
    } else {
      output.append(#","exit_status":\#(attempt.exitStatus.map { String($0) } ?? "null")"#)
      output.append(#","signal":\#(attempt.signal.map { String($0) } ?? "null")"#)
      append("stdout", attempt.stdout, to: output)
      append("stderr", attempt.stderr, to: output)
    }
    output.append("}\n")
  }

  private static func append(_ name: String, _ stream: KeptOutput, to output: Output) {
    output.append(#","\#(name)":"#)
    // Text that was cut is not UTF-8 where a character was cut.
    let whole = stream.cut == 0 ? stream.head + stream.tail : stream.head
    whole.withUnsafeBytes { TextItem.append($0, to: &output.bytes) }
    if stream.cut > 0 {
      output.append(#","\#(name)_tail":"#)
      stream.tail.withUnsafeBytes { TextItem.append($0, to: &output.bytes) }
    }
    output.append(#","\#(name)_bytes":\#(stream.total)"#)
  }
}

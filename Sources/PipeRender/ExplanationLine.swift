package import PipeIO
package import PipeQueue

/// Explains as JSON why an entry has not run:
/// `{"id":"…","priority":"HIGH",…,"runs":[{"from":1,"to":3,…}],…}`
package enum ExplanationLine {
  package static func append(_ found: Explanation, at now: Int64, to output: Output) {
    output.append(#"{"id":""# + found.id.text + #"","priority":""# + found.priority.name)
    output.append(#"","created_at":"#)
    output.appendTime(found.created)
    output.append(#","accepted_at":"#)
    output.appendTime(found.accepted)
    output.append(#","items":\#(found.items),"runs":["#)
    for (position, run) in found.runs.enumerated() {
      output.append((position > 0 ? "," : "") + #"{"from":\#(run.items.lowerBound)"#)
      output.append(#","to":\#(run.items.upperBound),"#)
      append(run.fate, found, at: now, to: output)
      output.append(#","history":"#)
      HistoryList.append(run.history, to: output)
      output.append("}")
    }
    output.append(#"],"pace":"#)
    append(found.pace, to: output)
    output.append("}\n")
  }

  private static func append(
    _ fate: Explanation.Fate, _ found: Explanation, at now: Int64, to output: Output
  ) {
    switch fate {
    case .done: output.append(#""state":"done""#)
    case .ready(let ahead):
      let wait = found.pace?.estimate(ahead: ahead).map(seconds) ?? "null"
      output.append(#""state":"ready","ahead":\#(ahead),"in_seconds":\#(wait)"#)
    case .claimed(let token, let attempt, let holder, let since, let until):
      output.append(#""state":"claimed","claim":"\#(token.text)","attempt":\#(attempt),"holder":"#)
      output.appendString(holder)
      output.append(#","since":"#)
      output.appendTime(since)
      output.append(#","until":"#)
      output.appendTime(until)
    case .later(let due, let attempts):
      output.append(#""state":"later","attempts":\#(attempts),"due":"#)
      output.appendTime(due)
      output.append(#","in_seconds":\#(seconds(max(0, due - now)))"#)
    case .lost(let isDropped): output.append(#""state":"lost","dropped":\#(isDropped)"#)
    case .dead(let isDropped): output.append(#""state":"dead","dropped":\#(isDropped)"#)
    }
  }

  private static func append(_ pace: PaceView?, to output: Output) {
    guard let pace else { return output.append("null") }
    output.append(#"{"every_seconds":"# + (pace.every > 0 ? seconds(pace.every) : "null"))
    output.append(#","size":\#(pace.size),"next_in_seconds":"# + seconds(pace.wait))
    output.append(#","last_seconds_ago":"# + seconds(pace.sinceLast))
    let rate = pace.rate.map { seconds(Int64(min(1e18, $0 * 1e6))) } ?? "null"
    output.append(#","items_per_second":\#(rate)}"#)
  }
}

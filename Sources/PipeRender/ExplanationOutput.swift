package import PipeIO
internal import PipeJSON
package import PipeQueue
package import PipeTime

/// Explains in sentences why an entry has not run.
package struct ExplanationText {
  private let explanation: Explanation
  private let now: Instant

  package init(_ explanation: Explanation, at now: Instant) {
    self.explanation = explanation
    self.now = now
  }

  package var paragraph: String {
    let head =
      "\(explanation.id.text) (\(explanation.priority.name), \(counted(explanation.items, "item"))),"
      + " stored \(ago(explanation.accepted)):"
    let runs = joined().map { "  " + subject($0) + sentence($0) }
    let pause = explanation.pause.map { "  The queue is \($0.words); pipe resume ends the pause." }
    return ([head] + runs + (pause.map { [$0] } ?? [])).joined(separator: "\n")
  }

  // Each dead letter is a run of its own; neighbours with the same last attempt and reason are
  // joined.
  private func joined() -> [Explanation.Run] {
    var all: [Explanation.Run] = []
    for run in explanation.runs {
      guard let last = all.last, isSameDeath(last, run) else {
        all.append(run)
        continue
      }
      all[all.count - 1].items = last.items.lowerBound...run.items.upperBound
    }
    return all
  }

  private func isSameDeath(_ one: Explanation.Run, _ other: Explanation.Run) -> Bool {
    guard case .dead(let isDropped) = one.fate, case .dead(isDropped) = other.fate else {
      return false
    }
    let (a, b) = (one.history.last, other.history.last)
    return a?.number == b?.number && a?.reason == b?.reason
  }

  private func subject(_ run: Explanation.Run) -> String {
    if explanation.items == 1 { return "it " }
    return run.items.count == 1
      ? "item \(run.items.lowerBound) "
      : "items \(run.items.lowerBound) to \(run.items.upperBound) "
  }

  private func sentence(_ run: Explanation.Run) -> String {
    let isOne = run.items.count == 1
    let verb = isOne ? "is" : "are"
    switch run.fate {
    case .done: return "\(verb) done."
    case .ready(let ahead):
      return "\(verb) ready; " + turn(ahead, isOne ? "it" : "the first") + past(run.history)
    case .claimed(let token, let attempt, let holder, let since, let until):
      let held = until.map { "by pipe batch --hold until \(time($0)) (in \(($0 - now).words))" }
      let who = held ?? holder.map { "by " + $0 } ?? "by a process that has just died"
      let long =
        since.map { "\(until == nil ? "" : ",") since \(time($0)) (\((now - $0).words))" } ?? ""
      return "\(verb) claimed \(who)\(long), claim \(token.text), attempt \(attempt)."
        + past(run.history)
    case .later(let due, let attempts):
      let why = attempts == 0 ? "as requested" : "after \(counted(attempts, "failed attempt"))"
      return "\(isOne ? "waits" : "wait") until \(time(due)) (in \((due - now).words)) \(why)."
        + past(run.history)
    case .lost(let isDropped):
      return "\(verb) lost: damaged, or missing from segments/\(isDropped ? "; dropped" : "")."
    case .dead(let isDropped):
      let then =
        isDropped
        ? "; \(isOne ? "it was" : "they were") dropped."
        : "; to try again: pipe retry \(explanation.id.text)."
      return "\(verb) dead" + then + past(run.history)
    }
  }

  private func turn(_ ahead: Int, _ first: String) -> String {
    let before = ahead == 0 ? "nothing is ahead" : "\(counted(ahead, "ready item")) ahead"
    if explanation.pause != nil {
      return before + "; nothing is handed out while the queue is paused."
    }
    guard let pace = explanation.pace else {
      return before + "; no batch is known to have been taken: is a consumer running?"
    }
    var words = before
    if pace.every > .zero {
      let next = pace.wait > .zero ? "in \(pace.wait.words)" : "now"
      words +=
        "; the next batch can start \(next) (\(counted(pace.size, "item")) every \(pace.every.words))"
    }
    guard let wait = pace.estimate(ahead: ahead) else {
      return words + "; no batch was taken for \(pace.sinceLast.words): is a consumer running?"
    }
    if wait < .milliseconds(1) { return words + "; at this rate \(first) is handed out next." }
    return words + "; at this rate \(first) is handed out in about \(wait.words)."
  }

  private func past(_ history: [Attempt]) -> String {
    guard let last = history.last else { return "" }
    return " Attempt \(last.number) ended \(ago(last.ended)): \(printable(last.reason))."
  }

  private func time(_ instant: Instant) -> String { shortTime(instant) }

  private func ago(_ instant: Instant) -> String { "\((now - instant).words) ago" }
}

/// Explains as JSON why an entry has not run:
/// `{"id":"…","priority":"HIGH",…,"runs":[{"from":1,"to":3,…}],…}`
package enum ExplanationLine {
  package static func append(_ found: Explanation, at now: Instant, to output: Output) {
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
    if let pause = found.pause {
      output.append(#","paused":{"since":"#)
      output.appendTime(pause.since)
      output.append(#","until":"#)
      output.appendTime(pause.until)
      output.append(#","reason":"#)
      output.appendString(pause.reason)
      output.append("}")
    }
    output.append("}\n")
  }

  private static func append(
    _ fate: Explanation.Fate, _ found: Explanation, at now: Instant, to output: Output
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
      output.append(#","in_seconds":\#(seconds(max(.zero, due - now)))"#)
    case .lost(let isDropped): output.append(#""state":"lost","dropped":\#(isDropped)"#)
    case .dead(let isDropped): output.append(#""state":"dead","dropped":\#(isDropped)"#)
    }
  }

  private static func append(_ pace: PaceView?, to output: Output) {
    guard let pace else { return output.append("null") }
    output.append(#"{"every_seconds":"# + (pace.every > .zero ? seconds(pace.every) : "null"))
    output.append(#","size":\#(pace.size),"next_in_seconds":"# + seconds(pace.wait))
    output.append(#","last_seconds_ago":"# + seconds(pace.sinceLast))
    let rate = pace.rate.map { seconds(.microseconds(Int64(min(1e18, $0 * 1e6)))) } ?? "null"
    output.append(#","items_per_second":\#(rate)}"#)
  }
}

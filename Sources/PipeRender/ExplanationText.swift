internal import PipeIO
internal import PipeJSON
package import PipeQueue

/// Explains in sentences why an entry has not run.
package struct ExplanationText {
  private let explanation: Explanation
  private let now: Int64

  package init(_ explanation: Explanation, at now: Int64) {
    self.explanation = explanation
    self.now = now
  }

  package var paragraph: String {
    let head =
      "\(explanation.id.text) (\(explanation.priority.name), \(counted(explanation.items, "item"))),"
      + " stored \(ago(explanation.accepted)):"
    let runs = joined().map { "  " + subject($0) + sentence($0) }
    return ([head] + runs).joined(separator: "\n")
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
      let held = until.map { "by pipe batch --hold until \(time($0)) (in \(span($0 - now)))" }
      let who = held ?? holder.map { "by " + $0 } ?? "by a process that has just died"
      let long =
        since.map { "\(until == nil ? "" : ",") since \(time($0)) (\(span(now - $0)))" } ?? ""
      return "\(verb) claimed \(who)\(long), claim \(token.text), attempt \(attempt)."
        + past(run.history)
    case .later(let due, let attempts):
      let why = attempts == 0 ? "as requested" : "after \(counted(attempts, "failed attempt"))"
      return "\(isOne ? "waits" : "wait") until \(time(due)) (in \(span(due - now))) \(why)."
        + past(run.history)
    case .lost(let isDropped):
      return "\(verb) lost: damaged, or missing from segments/\(isDropped ? "; dropped" : "")."
    case .dead(let isDropped):
      let then =
        isDropped ? "; it was dropped." : "; to try again: pipe retry \(explanation.id.text)."
      return "\(verb) dead" + then + past(run.history)
    }
  }

  private func turn(_ ahead: Int, _ first: String) -> String {
    let before = ahead == 0 ? "nothing is ahead" : "\(counted(ahead, "ready item")) ahead"
    guard let pace = explanation.pace else {
      return before + "; no batch is known to have been taken: is a consumer running?"
    }
    var words = before
    if pace.every > 0 {
      let next = pace.wait > 0 ? "in \(span(pace.wait))" : "now"
      words +=
        "; the next batch can start \(next) (\(counted(pace.size, "item")) every \(span(pace.every)))"
    }
    guard let wait = pace.estimate(ahead: ahead) else {
      return words + "; no batch was taken for \(span(pace.sinceLast)): is a consumer running?"
    }
    return words + "; at this rate \(first) is handed out in about \(span(wait))."
  }

  private func past(_ history: [Attempt]) -> String {
    guard let last = history.last else { return "" }
    return " Attempt \(last.number) ended \(ago(last.ended)): \(printable(last.reason))."
  }

  private func time(_ microseconds: Int64) -> String {
    String(decoding: JSONWriter.quotedTime(microseconds).dropFirst().prefix(19), as: UTF8.self)
      + "Z"
  }

  private func ago(_ instant: Int64) -> String { "\(span(now - instant)) ago" }

  /// `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h`.
  private func span(_ microseconds: Int64) -> String {
    let tenths = (max(0, microseconds) + 50_000) / 100_000
    let seconds = tenths / 10
    if seconds < 60 { return "\(seconds).\(tenths % 10) s" }
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    if seconds < 86_400 { return "\(seconds / 3600) h \(seconds % 3600 / 60) min" }
    return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
  }
}

internal import PipeIO
internal import PipeText
internal import PipeTime

/// What a progress line says: `12,345 lines  4,123/s  45.00 %  12 s left`.
package struct ProgressText {
  private let start = Clock.steady()
  private let noun: String

  /// `noun`: in the singular.
  package init(_ noun: String) { self.noun = noun }

  /// `share`: of the work, from 0 to 1; nil if it is not known. `note`: what else there is to say.
  package func line(_ count: Int, share: Double?, note: String? = nil) -> String {
    let seconds = (Clock.steady() - start).seconds
    var parts = [
      "\(whole(count)) \(noun)\(count == 1 ? "" : "s")",
      pace(seconds > 0 ? Double(count) / seconds : nil, ""),
    ]
    if let share {
      parts.append(inPercent(share))
      if share > 0, share < 1 { parts.append(age(seconds / share * (1 - share)) + " left") }
    }
    return (parts + (note.map { [$0] } ?? [])).joined(separator: "  ")
  }
}

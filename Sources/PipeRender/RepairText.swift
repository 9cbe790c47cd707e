internal import PipeIO
package import PipeQueue
internal import PipeText

/// The result of `prune`, as text and as JSON.
package struct PrunedText {
  private let pruned: Pruned

  package init(_ pruned: Pruned) { self.pruned = pruned }

  /// `{"removed":{"segments":3,"bytes":25165824},"punched":0,"kept":[{"priority":"HIGH","segments":1,…}]}`
  package var json: String {
    let kept = pruned.kept.map {
      #"{"priority":"\#($0.lane.name)",\#(members($0.amount)),"reason":"\#($0.reason.rawValue)"}"#
    }
    return #"{"removed":{\#(members(pruned.removed))},"punched":\#(pruned.punched),"#
      + #""kept":[\#(kept.joined(separator: ","))]}"# + "\n"
  }

  package var text: String {
    let removed =
      "\(counted(pruned.removed.segments, "segment")) removed: \(pruned.removed.bytes) bytes\n"
    let kept = pruned.kept.map {
      "\($0.lane.name) keeps \(counted($0.amount.segments, "segment")), \($0.amount.bytes) bytes: "
        + why($0.reason) + "\n"
    }
    let punched =
      pruned.punched > 0 ? "\(pruned.punched) bytes of done items freed in kept segments\n" : ""
    return removed + punched + kept.joined()
  }

  private func members(_ amount: Pruned.Amount) -> String {
    #""segments":\#(amount.segments),"bytes":\#(amount.bytes)"#
  }

  private func why(_ reason: Pruned.Reason) -> String {
    switch reason {
    case .undone: "the oldest has an item that is not done (pipe list)"
    case .later: "the oldest has an item that waits for its time (pipe list --state later)"
    case .dead: "the oldest has a dead letter (pipe dead; pipe retry or pipe drop)"
    case .retained: "done too recently (pipe init --retain)"
    }
  }
}

/// A line of `doctor`, as text and as JSON.
package struct DiagnosisText {
  private let diagnosis: Diagnosis

  package init(_ diagnosis: Diagnosis) { self.diagnosis = diagnosis }

  /// `warn  inotify     126 of 128 instances of this user are in use; a consumer …; sysctl …`
  package var line: String {
    let advice = diagnosis.advice.map { "; \($0.meaning); \($0.remedy)" } ?? ""
    return diagnosis.level.rawValue.left(6) + diagnosis.subject.left(12) + diagnosis.found + advice
      + "\n"
  }

  /// `{"check":"inotify","level":"warn","found":"…","means":"…","remedy":"…"}`
  package var json: String {
    let output = Output()
    output.append(
      #"{"check":"\#(diagnosis.subject)","level":"\#(diagnosis.level.rawValue)","found":"#)
    output.appendString(diagnosis.found)
    if let (meaning, remedy) = diagnosis.advice {
      output.append(#","means":"#)
      output.appendString(meaning)
      output.append(#","remedy":"#)
      output.appendString(remedy)
    }
    output.append("}\n")
    return String(decoding: output.bytes, as: UTF8.self)
  }
}

/// A line of `fsck`, as text and as JSON.
package struct FindingText {
  private let position: String?
  private let text: String
  private let isRepair: Bool

  /// `position`: relative to the queue. `isRepair`: the text says what was repaired there.
  package init(position: String?, text: String, isRepair: Bool = false) {
    (self.position, self.text, self.isRepair) = (position, text, isRepair)
  }

  /// `segments/LOW/000/000001: byte 610: 77 damaged bytes`
  package var line: String {
    let place = position.map { $0 + (isRepair ? ": repaired: " : ": ") } ?? ""
    return printable(place + text) + "\n"
  }

  /// `{"path":"segments/LOW/000/000001","finding":"byte 610: 77 damaged bytes"}`
  package var json: String {
    let output = Output()
    output.append(#"{"path":"#)
    output.appendString(position)
    output.append(isRepair ? #","repair":"# : #","finding":"#)
    output.appendString(text)
    output.append("}\n")
    return String(decoding: output.bytes, as: UTF8.self)
  }
}

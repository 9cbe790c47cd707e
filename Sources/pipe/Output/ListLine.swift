internal import PipeIO
internal import PipeQueue

/// An entry line, with the state of its items, and those of its ids that are in it.
enum ListLine {
  static func append(_ listed: ListedEntry, to output: Output) {
    output.append(#"{"id":""# + listed.id.text)
    output.append(#"","priority":""# + listed.priority.name + #"","time":"#)
    output.bytes += EntryLineWriter.quotedTime(listed.created)
    output.append(#","state":""# + listed.state.rawValue + #"","#)
    output.append(listed.isRecord ? #""data":"# : #""ids":"#)
    output.bytes += listed.data
    output.append("}\n")
  }

  static func append(_ lost: LostItems, to output: Output) {
    output.append(#"{"id":null,"priority":""# + lost.priority.name + #"","state":"lost","items":"#)
    output.append(#"\#(lost.items),"number":\#(lost.number),"segment":""# + lost.segment)
    output.append(#"","byte":\#(lost.byte)}"# + "\n")
  }
}

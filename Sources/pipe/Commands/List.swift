internal import PipeIO
internal import PipeEngine
internal import PipeRender
internal import PipeTime

struct List: Command {
  static let about = About("list", .look, "Print entries without taking them.")

  @Group var queue: QueueOptions

  @Option("--state", value: "state", "Print items in this state only; repeatable.")
  var state: [ListedEntry.State]

  @Option("-n", value: "n", "Print at most this many lines.")
  var count: Count?

  @Group var form: TableOptions

  func run() {
    Exit.perform("list") { () throws(Fault) in
      let queue = try queue.location.open(Diagnostics(command: "list"))
      let states = state.isEmpty ? [.ready, .claimed, .later] : state
      let output = Output()
      let table = form.json ? nil : EntryTable(.list)
      var left = count?.value ?? .max
      let wantsMore = { () throws(Fault) in
        left -= 1
        if output.bytes.count > 1 << 16 || left == 0 { try output.flush() }
        return left > 0
      }
      try queue.list(states, at: Clock.now()) { (lost) throws(Fault) in
        if let table { table.append(lost, to: output) } else { ListLine.append(lost, to: output) }
        return try wantsMore()
      } _: { (listed) throws(Fault) in
        if let table {
          table.append(listed, to: output)
        } else {
          ListLine.append(listed, to: output)
        }
        return try wantsMore()
      }
      try output.flush()
      return Exit.fine
    }
  }
}

extension ListedEntry.State: OptionValue {}

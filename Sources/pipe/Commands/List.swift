internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeRender
internal import PipeTime

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print entries without taking them.")

  @OptionGroup var queue: QueueOptions

  @Option(help: ArgumentHelp("Print items in this state only; repeatable.", valueName: "state"))
  var state: [ListedEntry.State] = []

  @Option(
    name: .customShort("n", allowingJoined: true),
    help: ArgumentHelp("Print at most this many lines.", valueName: "n"))
  var count: Count?

  @OptionGroup var form: TableOptions

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

extension ListedEntry.State: ExpressibleByArgument {}

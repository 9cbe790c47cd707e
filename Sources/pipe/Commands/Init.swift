internal import ArgumentParser
internal import PipeIO
internal import PipeQueue

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Create a queue, or change the settings of one.")

  @OptionGroup var queue: QueueOptions

  @Option(help: ArgumentHelp("Items a slice of entries stored from now on.", valueName: "n"))
  var slice: Count?

  @Option(help: ArgumentHelp("The most items stored and not done.", valueName: "n"))
  var maxItems: Count?

  @Option(help: ArgumentHelp("The most bytes stored and not done.", valueName: "size"))
  var maxBytes: ByteSize?

  @Option(help: ArgumentHelp("Leave this much of the file system free.", valueName: "size"))
  var minFree: ByteSize?

  func run() {
    Exit.perform("init") { () throws(Fault) in
      _ = try Queue.create(path: try queue.location.resolved(), force: queue.force) { settings in
        if let slice { settings.slice = slice.value }
        if let maxItems { settings.maxItems = maxItems.value }
        if let maxBytes { settings.maxBytes = maxBytes.bytes }
        if let minFree { settings.minFree = minFree.bytes }
      }
      return Exit.fine
    }
  }
}

internal import PipeIO
internal import PipeQueue

/// The queues that were named, each opened once; those that are not there are created.
final class Destinations {
  private let origin: Queue
  private let force: Bool
  private let diagnostics: Diagnostics
  private(set) var all: [Destination] = []

  init(_ origin: Queue, force: Bool, _ diagnostics: Diagnostics) {
    self.origin = origin
    self.force = force
    self.diagnostics = diagnostics
  }

  func named(_ name: String) throws(Fault) -> Destination {
    let queue = try QueueLocation(path: name, force: force).create(diagnostics)
    if queue.isSame(as: origin) {
      throw Fault(.usage, "\(printable(name)): entries would come back to where they are from")
    }
    if let known = all.first(where: { $0.queue.isSame(as: queue) }) { return known }
    let destination = Destination(name, queue)
    all.append(destination)
    return destination
  }
}

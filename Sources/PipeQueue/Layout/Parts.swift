internal import PipeIO

// The directories of a queue. One that is missing is made again: no name in it says anything any more, and
// what no name covers is delivered again.
extension Queue {
  func part(_ name: String) throws(Fault) -> Directory {
    try Queue.part(name, of: root, report)
  }

  static func part(
    _ name: String, of root: Directory, _ report: (String) -> Void
  ) throws(Fault) -> Directory {
    if let found = try Directory.open(name, in: root) { return found }
    // Part of a queue that is just being removed.
    guard !root.isRemoved, !root.lacks(Settings.fileName) else { throw removed(root.path) }
    let made = try root.subdirectory(making: name)
    try root.flush()
    report("\(printable(root.path))/\(name): was missing, and is made again; \(loss(of: name))")
    return made
  }

  static func removed(_ path: String) -> Fault {
    Fault(.notFound, "\(printable(path)): was removed while in use")
  }

  private static func loss(of part: String) -> String {
    switch part {
    case "now": "items done before may be delivered again"
    case "end": "the ends of the lanes are read from the segments"
    case "later", "dead": "what it held is delivered again"
    case "segments": "what it held is lost unless it is put back"
    case "strays": "entries stored out of the order of their ids are not found by id"
    case "owners": "its counters begin again"
    default: "nothing is lost with it"
    }
  }
}

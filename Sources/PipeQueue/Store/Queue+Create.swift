internal import CPipeIO
internal import Glibc
package import PipeIO

// Creates a queue (pipe-queue(5), CREATION): everything that a queue has, flushed, and `format`
// last. A directory without `format` holds the start of another creation, which this one completes.
extension Queue {
  /// Opens the queue at `path`, and creates it first if there is none. `change` edits the settings
  /// of a new or an existing queue; `access` sets which users may use it.
  /// Step of: create, settings
  package static func create(
    path: String, force: Bool = false, report: @escaping (String) -> Void = { _ in },
    access: Access? = nil, change: ((inout Settings) -> Void)? = nil
  ) throws(Fault) -> Queue {
    if change == nil, let found = try existing(path, force, report) { return found }
    let root = try makeRoot(path)
    if !force { try refuseRemote(root, root.fileSystem()) }
    try lock(root, exclusive: true, report)
    defer { root.unlock() }
    var isNew = false
    if var settings = try Settings.read(root)?.settings {
      guard let change else { return try Queue(path: path, force: force, report: report) }
      if settings.isOlder { settings = try upgrade(root, settings, report) }
      change(&settings)
      try refuseLost(settings)
      if let access { try give(root, access, report) }
      try settings.replace(in: root)
    } else {
      try refuseForeign(root)
      var settings = Settings()
      change?(&settings)
      try refuseLost(settings)
      try fill(root)
      Reserve(root).take()
      if let access { try give(root, access, report) }
      try settings.begin(in: root)
      isNew = true
    }
    let queue = try Queue(path: path, force: force, report: report)
    queue.isNew = isNew
    return queue
  }

  private static func existing(
    _ path: String, _ force: Bool, _ report: @escaping (String) -> Void
  ) throws(Fault) -> Queue? {
    do throws(Fault) { return try Queue(path: path, force: force, report: report) } catch {
      guard error.kind == .notFound else { throw error }
      return nil
    }
  }

  private static func makeRoot(_ path: String) throws(Fault) -> Directory {
    var made: [String] = []
    var at = path
    while !makeDirectory(at) {
      switch errno {
      case EEXIST: break
      case ENOENT where at.contains("/"):
        made.append(at)
        at = parent(of: at)
        continue
      case ENOTDIR:
        throw Fault(.cannotCreate, "\(printable(path)): a file is in the way", code: ENOTDIR)
      default: throw cannotCreate(path)
      }
      break
    }
    for deeper in made.reversed()
    where !makeDirectory(deeper) && errno != EEXIST {
      throw cannotCreate(deeper)
    }
    // Each new directory is a name in its parent, which must be on disk too.
    for directory in made + [at] { try Directory.open(parent(of: directory))?.flush() }
    // A process that died may have made those above; most are older, and some cannot be opened.
    while parent(of: at) != at, at != "." {
      at = parent(of: at)
      try? Directory.open(parent(of: at))?.flush()
    }
    do throws(Fault) {
      if let root = try Directory.open(path) { return root }
    } catch {
      if error.code == EACCES { throw refusal(path, error) }
      guard error.code == ENOTDIR else { throw error }
    }
    throw Fault(
      .cannotCreate, "\(printable(path)): is not a directory, so it cannot become a queue")
  }

  private static func cannotCreate(_ path: String) -> Fault {
    let fault = Fault("create", path)
    return fault.kind == .notFound || fault.kind == .inputOutput
      ? Fault(.cannotCreate, fault.text, code: fault.code) : fault
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static let parts = [
    "segments", "end", "now", "owners", "strays", "quarantine", "later", "dead", "register",
  ]

  // A mistyped option must not turn a home directory into a queue.
  private static func refuseForeign(_ root: Directory) throws(Fault) {
    let files = [Settings.temporaryName, Settings.copyName, Pace.fileName]
    let known = parts + files + [Reserve.fileName, "dedup", "output", "lost+found"]
    if let foreign = try root.names().first(where: { !known.contains($0) }) {
      throw Fault(
        .cannotCreate,
        "\(printable(root.path)): is not a queue and not empty (it holds \(printable(foreign)));"
          + " name a new or an empty directory")
    }
  }

  /// Creates the missing parts of a queue.
  static func fill(_ root: Directory) throws(Fault) {
    for part in parts { _ = try root.subdirectory(making: part) }
    let segments = try root.existing("segments")
    let end = try root.existing("end")
    let laneEnds = try end.names()
    for lane in Lane.allCases {
      let directory = try segments.subdirectory(making: lane.name)
      let group = try directory.subdirectory(making: Segment.group(Segment.first))
      try touch(Segment.name(Segment.first), in: group)
      try group.flush()
      try directory.flush()
      if !laneEnds.contains(where: { $0.hasPrefix(lane.name + ".") }) {
        try touch(LaneEnd.first(of: lane, seal: end.birthmark).text, in: end)
      }
    }
    // Spares: claims rename them, so that a queue on a full disk can be drained.
    let now = try root.existing("now")
    for number in 0..<8 { try touch("spare.\(number)", in: now) }
    let owners = try root.existing("owners")
    for slot in 0..<4 { try touch(Owner.name(slot), in: owners) }
    try touch(Pace.fileName, in: root)
    for directory in [segments, end, now, owners, root] { try directory.flush() }
  }

  static func touch(_ name: String, in directory: Directory) throws(Fault) {
    _ = try Descriptor.create(name, in: directory, O_WRONLY)
  }
}

// The directories of a queue. A missing one is created again, empty: the names in it are lost, and
// items that no name covers are delivered again.
extension Queue {
  func part(_ name: String) throws(Fault) -> Directory {
    try Queue.part(name, of: root, report)
  }

  static func part(
    _ name: String, of root: Directory, _ report: (String) -> Void
  ) throws(Fault) -> Directory {
    if let found = try Directory.open(name, in: root) { return found }
    // The queue itself is being removed.
    guard !root.isRemoved, !root.lacks(Settings.fileName) else { throw removed(root.path) }
    let made = try root.subdirectory(making: name)
    try root.flush()
    report("\(printable(root.path))/\(name): was missing and was created again; \(loss(of: name))")
    return made
  }

  /// Throws if another process removed the queue.
  package func requireExistence() throws(Fault) {
    if isRemoved { throw Queue.removed(path) }
  }

  static func removed(_ path: String) -> Fault {
    Fault(.notFound, "\(printable(path)): was removed while in use")
  }

  private static func loss(of part: String) -> String {
    switch part {
    case "now": "items already done may be delivered again"
    case "end": "the ends of the lanes are read from the segments"
    case "later", "dead": "its items are delivered again"
    case "segments": "its items are lost unless it is restored"
    case "strays": "entries stored out of id order are not found by id"
    case "owners": "its counters restart at 0"
    default: "nothing is lost"
    }
  }

  // Here the kernel reports the death of a process at once.
  private static func refuseLost(_ settings: Settings) throws(Fault) {
    guard settings.lost != nil else { return }
    throw Fault(.usage, "--lost: only for a queue in PostgreSQL")
  }
}

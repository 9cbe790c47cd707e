// What commands and the gateway use of a queue, whichever engine keeps it. Names that this module
// declares hide those of the directory's engine.
@_exported public import PipeQueue

extension QueueLocation {
  /// What a directory answers to --grant.
  package static var noRoles: Fault {
    Fault(.usage, "--grant: only for a queue in PostgreSQL; see --share for a directory")
  }
}

#if Postgres
  package import PipeIO
  package import PipePostgres
  package import PipeTime

  /// The queue that an address names, whichever engine keeps it.
  package enum Queue {
    case directory(PipeQueue.Queue)
    case postgres(PostgresQueue)

    package init(
      path: String, force: Bool = false, report: @escaping (String) -> Void = { _ in }
    ) throws(Fault) {
      self =
        QueueLocation.isAddress(path)
        ? .postgres(try PostgresQueue(path: path, force: force, report: report))
        : .directory(try PipeQueue.Queue(path: path, force: force, report: report))
    }

    package init?(lookingAt path: String) throws(Fault) {
      if QueueLocation.isAddress(path) {
        self = .postgres(try PostgresQueue(path: path))
        return
      }
      guard let queue = try PipeQueue.Queue(lookingAt: path) else { return nil }
      self = .directory(queue)
    }

    package static func create(
      path: String, force: Bool = false, report: @escaping (String) -> Void = { _ in },
      access: Access? = nil, change: ((inout Settings) -> Void)? = nil
    ) throws(Fault) -> Queue {
      guard QueueLocation.isAddress(path) else {
        return .directory(
          try PipeQueue.Queue.create(
            path: path, force: force, report: report, access: access, change: change))
      }
      if access != nil {
        throw Fault(.usage, "--share and --private are for directories; grant roles in PostgreSQL")
      }
      return .postgres(
        try PostgresQueue.create(path: path, force: force, report: report, change: change))
    }

    /// Grants the privileges of a queue to a role of its server.
    package func grant(_ kind: QueueRole, to role: String) throws(Fault) {
      guard case .postgres(let queue) = self else { throw QueueLocation.noRoles }
      try queue.grant(kind, to: role)
    }

    package var path: String {
      switch self {
      case .directory(let queue): queue.path
      case .postgres(let queue): queue.path
      }
    }

    package var settings: Settings {
      switch self {
      case .directory(let queue): queue.settings
      case .postgres(let queue): queue.settings
      }
    }

    package var isNew: Bool {
      switch self {
      case .directory(let queue): queue.isNew
      case .postgres(let queue): queue.isNew
      }
    }

    package var report: (String) -> Void {
      switch self {
      case .directory(let queue): queue.report
      case .postgres(let queue): queue.report
      }
    }

    package var isRemoved: Bool {
      switch self {
      case .directory(let queue): queue.isRemoved
      case .postgres(let queue): queue.isRemoved
      }
    }

    package func isSame(as other: Queue) -> Bool {
      switch (self, other) {
      case (.directory(let queue), .directory(let other)): queue.isSame(as: other)
      case (.postgres(let queue), .postgres(let other)): queue.isSame(as: other)
      default: false
      }
    }

    /// The directory, for what PostgreSQL does not have yet.
    func directory(_ what: StaticString) throws(Fault) -> PipeQueue.Queue {
      guard case .directory(let queue) = self else {
        throw Fault(.usage, "\(what): not available yet for a queue in PostgreSQL")
      }
      return queue
    }

    package func requireExistence() throws(Fault) {
      if case .directory(let queue) = self { try queue.requireExistence() }
    }

    package func requireWritable() throws(Fault) {
      if case .directory(let queue) = self { try queue.requireWritable() }
    }

    package func requireRoom() throws(Fault) {
      if case .directory(let queue) = self { try queue.requireRoom() }
    }

    package static func meansOwnerGone(_ name: UnsafeRawBufferPointer) -> Bool {
      PipeQueue.Queue.meansOwnerGone(name)
    }

    package static func meansReady(_ name: UnsafeRawBufferPointer) -> Bool {
      PipeQueue.Queue.meansReady(name)
    }

    /// Whether what failed may succeed once its server is back.
    package func mayComeBack(after fault: Fault) -> Bool {
      guard case .postgres = self else { return false }
      return fault.kind == .unavailable || fault.kind == .outcomeUnknown
    }

    /// Waits until the server is back, or until a signal to stop.
    package func waitForServer(_ fault: Fault) throws(Fault) {
      if case .postgres(let queue) = self {
        try queue.comeBack(until: .distantFuture, fault)
      }
    }

    package func watchReady() throws(Fault) -> QueueWatch {
      switch self {
      case .directory(let queue): .directory(try queue.watchReady())
      case .postgres(let queue): .postgres(try queue.watchReady())
      }
    }

    package func watchSettling() throws(Fault) -> QueueWatch {
      switch self {
      case .directory(let queue): .directory(try queue.watchSettling())
      case .postgres(let queue): .postgres(try queue.watchSettling())
      }
    }

    package func watchReads(of pipe: PipeOutput) throws(Fault) -> PipeOutput.Reads {
      switch self {
      case .directory(let queue): try queue.watchReads(of: pipe)
      case .postgres(let queue): try pipe.watchReads(queue.report)
      }
    }
  }

  /// Stores entries.
  package enum Appender {
    case directory(PipeQueue.Appender)
    case postgres(PostgresAppender)

    package init(_ queue: Queue, dedup window: TimeSpan = .zero, isMoving: Bool = false) {
      switch queue {
      case .directory(let queue):
        self = .directory(PipeQueue.Appender(queue, dedup: window, isMoving: isMoving))
      case .postgres(let queue):
        self = .postgres(PostgresAppender(queue, dedup: window, isMoving: isMoving))
      }
    }

    package func commit(_ writeBatch: inout WriteBatch) throws(Fault) {
      switch self {
      case .directory(let appender): try appender.commit(&writeBatch)
      case .postgres(let appender): try appender.commit(&writeBatch)
      }
    }

    package func pruneSome() {
      if case .directory(let appender) = self { appender.pruneSome() }
    }
  }

  /// Wakes when something in a queue may have changed.
  package enum QueueWatch {
    case directory(Watch)
    case postgres(PostgresWatch)

    package var fd: Int32 {
      switch self {
      case .directory(let watch): watch.fd
      case .postgres(let watch): watch.fd
      }
    }

    /// Clears pending events. Returns true if one of them matters.
    package func drain(_ matters: (UnsafeRawBufferPointer) -> Bool) -> Bool {
      switch self {
      case .directory(let watch): watch.drain(matters)
      case .postgres(let watch): watch.drain()
      }
    }
  }
#else
  package import PipeIO

  package typealias QueueWatch = Watch

  extension Queue {
    package func mayComeBack(after _: Fault) -> Bool { false }
    package func waitForServer(_: Fault) throws(Fault) {}
    package func grant(_: QueueRole, to _: String) throws(Fault) { throw QueueLocation.noRoles }
  }
#endif

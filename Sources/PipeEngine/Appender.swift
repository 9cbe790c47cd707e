#if Postgres
  package import PipeIO
  package import PipePostgres
  package import PipeQueue
  package import PipeTime

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
#endif

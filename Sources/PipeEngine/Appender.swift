#if Postgres
  package import PipeIO
  package import PipePostgres
  package import PipeQueue
  package import PipeTime

  /// Stores entries.
  package enum Appender {
    case directory(PipeQueue.Appender)
    case postgres(PostgresAppender)
    /// With a window, which PostgreSQL does not have yet.
    case refused

    package init(_ queue: Queue, dedup window: TimeSpan = .zero, isMoving: Bool = false) {
      switch queue {
      case .directory(let queue):
        self = .directory(PipeQueue.Appender(queue, dedup: window, isMoving: isMoving))
      case .postgres(let queue):
        self =
          window > .zero ? .refused : .postgres(PostgresAppender(queue, isMoving: isMoving))
      }
    }

    package func commit(_ writeBatch: inout WriteBatch) throws(Fault) {
      switch self {
      case .directory(let appender): try appender.commit(&writeBatch)
      case .postgres(let appender): try appender.commit(&writeBatch)
      case .refused: throw Fault(.usage, "--dedup: not available yet for a queue in PostgreSQL")
      }
    }

    package func pruneSome() {
      if case .directory(let appender) = self { appender.pruneSome() }
    }
  }
#endif

package import PipeIO

#if Postgres
  package import PipePostgres

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
  package typealias QueueWatch = Watch
#endif

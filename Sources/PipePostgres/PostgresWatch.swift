#if Postgres
  internal import CLibPQ
  internal import Glibc
  package import PipeIO

  /// Wakes when something may have changed: a notification on the session's own socket.
  package final class PostgresWatch {
    private let queue: PostgresQueue
    private let channel: PostgresQueue.Channel
    /// Readable while the socket is, or while `came` has a notification that was read with an answer.
    package let fd: Int32
    private let came: Int32

    init(_ queue: PostgresQueue, _ channel: PostgresQueue.Channel) throws(Fault) {
      self.queue = queue
      self.channel = channel
      fd = cpq_set()
      came = cpq_flag()
      guard fd >= 0, came >= 0 else { throw Fault("watch", "the server") }
      _ = cpq_add(fd, came)
      queue.session.onNotification = { [came] in cpq_raise(came) }
      queue.session.onReturn = { [weak self] () throws(Fault) in try self?.listen() }
      try listen()
    }

    /// Other sessions notify a channel only while a session holds its lock in shared mode, so a queue without waiting
    /// processes sends nothing. Begin to watch, then look, then wait.
    private func listen() throws(Fault) {
      try queue.session.query("select pg_advisory_lock_shared(lock_key(), \(channel.rawValue))")
      let name = "pipe_\(channel)_" + (try queue.session.value("select lock_key()"))
      try queue.session.query("listen \"\(name)\"")
      _ = cpq_add(fd, queue.session.fd)
    }

    /// Returns whether anything was reported.
    package func drain() -> Bool {
      cpq_clear(came)
      return queue.session.takeNotifications()
    }

    deinit {
      queue.session.onNotification = {}
      queue.session.onReturn = { () throws(Fault) in }
      close(fd)
      close(came)
    }
  }

  extension PostgresQueue {
    package func watchReady() throws(Fault) -> PostgresWatch { try PostgresWatch(self, .ready) }
    package func watchSettling() throws(Fault) -> PostgresWatch {
      try PostgresWatch(self, .settled)
    }
  }
#endif

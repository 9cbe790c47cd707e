#if Postgres
  internal import CLibPQ
  internal import Glibc
  package import PipeIO

  /// Wakes when something may have changed: a notification on the session's own socket.
  package final class PostgresWatch {
    private let queue: PostgresQueue
    private let channel: PostgresQueue.Channel
    private var name = ""
    /// Readable while the socket is, or while `came` has a notification that was read with an answer.
    package let fd: Int32
    private let came: Int32
    private var isRaised = false
    /// A copy of the socket: libpq may have closed its own, and a command that inherited it would keep it in the set.
    private var socket: Int32 = -1

    init(_ queue: PostgresQueue, _ channel: PostgresQueue.Channel) throws(Fault) {
      self.queue = queue
      self.channel = channel
      fd = cpq_set()
      came = cpq_flag()
      guard fd >= 0, came >= 0 else { throw Fault("watch", "the server") }
      _ = cpq_add(fd, came)
      queue.session.add(self)
      try listen()
    }

    /// Returns whether anything was reported.
    package func drain() -> Bool {
      queue.session.takeNotifications()
      cpq_clear(came)
      defer { isRaised = false }
      return isRaised
    }

    deinit {
      if !queue.session.isBroken {
        _ = try? queue.session.query(
          "select pg_advisory_unlock_shared(lock_key(), \(channel.rawValue))")
        _ = try? queue.session.query("unlisten \"\(name)\"")
      }
      leave()
      close(fd)
      close(came)
    }
  }

  extension PostgresWatch: Session.Listener {
    /// Other sessions notify a channel only while a session holds its lock in shared mode, so a queue without waiting
    /// processes sends nothing. Begin to watch, then look, then wait.
    func listen() throws(Fault) {
      try queue.session.query("select pg_advisory_lock_shared(lock_key(), \(channel.rawValue))")
      name = "pipe_\(channel)_" + (try queue.session.value("select lock_key()"))
      try queue.session.query("listen \"\(name)\"")
      leave()
      socket = fcntl(queue.session.fd, F_DUPFD_CLOEXEC, 3)
      _ = cpq_add(fd, socket)
    }

    func leave() {
      guard socket >= 0 else { return }
      _ = cpq_remove(fd, socket)
      close(socket)
      socket = -1
    }

    func note(_ channel: String?) {
      guard channel == nil || channel == name else { return }
      isRaised = true
      cpq_raise(came)
    }
  }

  extension PostgresQueue {
    package func watchReady() throws(Fault) -> PostgresWatch { try PostgresWatch(self, .ready) }
    package func watchSettling() throws(Fault) -> PostgresWatch {
      try PostgresWatch(self, .settled)
    }
  }
#endif

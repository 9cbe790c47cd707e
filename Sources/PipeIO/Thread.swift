internal import CPipeIO
internal import Glibc

/// Runs `body` on a new thread. Throws if the system has no room for another thread.
package func startThread(_ body: @escaping @Sendable () -> Void) throws(Fault) {
  let box = Unmanaged.passRetained(ThreadBody(body))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { box in
      Unmanaged<ThreadBody>.fromOpaque(box!).takeRetainedValue().run()
      return nil
    }, box.toOpaque())
  guard code == 0 else {
    box.release()
    let fault = Fault("start", "thread", code: code)
    throw Fault(
      fault.kind,
      "\(fault.text) (check ulimit -u, systemd's TasksMax=, the container's pids limit)",
      code: code)
  }
  pthread_detach(thread)
}

/// Throws if the system has no room for `count` more open files. `name`: what they are for.
package func requireDescriptors(_ count: Int, for name: String) throws(Fault) {
  var taken: [Int32] = []
  defer { for fd in taken { close(fd) } }
  for _ in 0..<count {
    let fd = cpipe_memfd("pipe-spare")
    if fd < 0 { throw Fault("open", name) }
    taken.append(fd)
  }
}

private final class ThreadBody {
  let run: @Sendable () -> Void

  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

import Glibc
import Synchronization

@testable import PipeIO

private let interruptions = Atomic(0)

/// Runs `body`, which blocks, while another thread interrupts it with signals again and again. Then
/// that thread calls `release`, which ends the wait.
func interrupting<Result>(
  until release: @escaping @Sendable () -> Void, _ body: () throws -> Result
) throws -> Result {
  _ = interruptions.load(ordering: .relaxed)
  var action = sigaction()
  action.__sigaction_handler.sa_handler = { _ in interruptions.add(1, ordering: .relaxed) }
  // No SA_RESTART: an interrupted call ends with EINTR.
  sigaction(SIGUSR1, &action, nil)
  // The threads of a test run block signals.
  var (set, before) = (sigset_t(), sigset_t())
  sigemptyset(&set)
  sigaddset(&set, SIGUSR1)
  pthread_sigmask(SIG_UNBLOCK, &set, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
  let target = pthread_self()
  try startThread {
    for _ in 0..<50 {
      let before = interruptions.load(ordering: .relaxed)
      pthread_kill(target, SIGUSR1)
      while interruptions.load(ordering: .relaxed) == before { sched_yield() }
    }
    release()
  }
  return try body()
}

import Foundation
import Glibc

// No other test may start a process between the creation of a descriptor and its close-on-exec
// flag: that process would hold open what a reader waits to see closed.
private let spawning = NSLock()

/// Reading and writing ends that no child inherits by default.
func makePipe() throws -> (reading: Int32, writing: Int32) {
  var numbers: [Int32] = [0, 0]
  try spawning.withLock {
    guard pipe(&numbers) == 0 else { throw Failure("pipe: \(errno)") }
    for number in numbers { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
  }
  return (numbers[0], numbers[1])
}

/// Starts a program with these standard descriptors, in a process group of its own.
func spawn(
  _ program: [String], in directory: String, _ environment: [String: String],
  _ descriptors: [Int32]
) throws -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer {
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
  }
  for (target, number) in descriptors.enumerated() {
    posix_spawn_file_actions_adddup2(&actions, number, Int32(target))
  }
  setUsualSignals(&attributes)
  let arguments = (["env", "-C", directory] + program).map { strdup($0) } + [nil]
  let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
  defer { for text in arguments + variables { free(text) } }
  var process: pid_t = 0
  let code = spawning.withLock {
    posix_spawnp(&process, arguments[0]!, &actions, &attributes, arguments, variables)
  }
  guard code == 0 else { throw Failure("\(program): \(String(cString: strerror(code)))") }
  return process
}

private func setUsualSignals(_ attributes: inout posix_spawnattr_t) {
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigaddset(&signals, SIGPIPE)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  posix_spawnattr_setpgroup(&attributes, 0)
  let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
  posix_spawnattr_setflags(&attributes, Int16(flags))
}

internal import Glibc

/// What becomes a command's standard descriptors; nil: it has those of this process.
package struct WorkerStreams: Hashable {
  package let input: Int32
  package let output: Int32?
  package let errors: Int32?

  package init(input: Int32, output: Int32? = nil, errors: Int32? = nil) {
    self.input = input
    self.output = output
    self.errors = errors
  }
}

/// Which descriptors posix_spawn gives to a command. Kept for the next one with the same numbers: each
/// action that is added asks the system twice how many descriptors there may be.
final class SpawnActions {
  private struct Key: Hashable {
    let streams: WorkerStreams
    let kept: Int32?
  }

  private var prepared: [Key: UnsafeMutablePointer<posix_spawn_file_actions_t>] = [:]

  /// More than commands that run at once have numbers.
  private static let most = 256

  func prepared(
    _ streams: WorkerStreams, keeping kept: Int32?,
    _ body: (UnsafePointer<posix_spawn_file_actions_t>) -> Int32
  ) -> Int32 {
    let key = Key(streams: streams, kept: kept)
    if let actions = prepared[key] { return body(actions) }
    if prepared.count == SpawnActions.most { forget() }
    let actions = UnsafeMutablePointer<posix_spawn_file_actions_t>.allocate(capacity: 1)
    posix_spawn_file_actions_init(actions)
    posix_spawn_file_actions_adddup2(actions, streams.input, STDIN_FILENO)
    if let output = streams.output {
      posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO)
    }
    if let errors = streams.errors {
      posix_spawn_file_actions_adddup2(actions, errors, STDERR_FILENO)
    }
    // Onto itself: this is how posix_spawn is told to let a descriptor through.
    if let kept { posix_spawn_file_actions_adddup2(actions, kept, kept) }
    prepared[key] = actions
    return body(actions)
  }

  private func forget() {
    for actions in prepared.values {
      posix_spawn_file_actions_destroy(actions)
      actions.deallocate()
    }
    prepared = [:]
  }

  deinit { forget() }
}

/// How posix_spawn starts a command: no signal blocked, and none ignored that only this process ignores.
final class SpawnAttributes {
  let pointer = UnsafeMutablePointer<posix_spawnattr_t>.allocate(capacity: 1)

  /// `newGroup`: it leads a process group of its own.
  init(newGroup: Bool) {
    posix_spawnattr_init(pointer)
    var (blocked, ours) = (signalSet([]), signalSet([SIGPIPE, SIGXFSZ, SIGCHLD]))
    posix_spawnattr_setsigmask(pointer, &blocked)
    posix_spawnattr_setsigdefault(pointer, &ours)
    posix_spawnattr_setpgroup(pointer, 0)
    let group = newGroup ? POSIX_SPAWN_SETPGROUP : 0
    posix_spawnattr_setflags(
      pointer, Int16(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  }

  deinit {
    posix_spawnattr_destroy(pointer)
    pointer.deallocate()
  }
}

internal import CPipeIO
internal import Glibc
package import PipeTime
internal import Synchronization

/// A line on stderr that shows a person how far a command is. It is redrawn in place, and erased
/// before any other line is written to stderr.
package final class ProgressLine {
  private static let isShown = Mutex(false)

  /// Holds the lock that keeps the filters of one pipeline from drawing over each other.
  private var turn: Turn?
  private var next: SteadyInstant
  private let interval: TimeSpan

  /// Quick commands draw nothing.
  private static let patience = TimeSpan.milliseconds(500)

  /// nil unless a person can see it: stderr must be a terminal that obeys escape sequences, and
  /// NO_COLOR unset. `isInformed`: whether this filter knows the share that is done, and goes before
  /// the others. `sharesOutput`: whether output to a terminal may be mixed with the line.
  package init?(interval: TimeSpan, isInformed: Bool = false, sharesOutput: Bool = false) {
    guard isatty(STDERR_FILENO) != 0, (variable("NO_COLOR") ?? "").isEmpty,
      variable("TERM").map({ $0 != "dumb" }) ?? false, sharesOutput || isatty(STDOUT_FILENO) == 0
    else { return nil }
    // A test shortens both waits, in milliseconds.
    let pause = variable("PIPE_TEST_PROGRESS").flatMap { Int64($0) }.map(TimeSpan.milliseconds)
    self.interval = pause ?? interval
    next = Clock.steady() + (pause ?? ProgressLine.patience)
    if isInformed { turn = Turn() }
  }

  /// Draws if it is time to. Cheap otherwise.
  package func update(_ text: () -> String) {
    let now = Clock.steady()
    guard now >= next else { return }
    next = now + interval
    turn = turn ?? Turn()
    // A background job must not write over what the person does meanwhile.
    guard let turn, turn.isOurs, tcgetpgrp(STDERR_FILENO) == getpgrp(),
      let size = TerminalSize.of(STDERR_FILENO)
    else { return }
    // One column stays free: a cursor behind the last one would scroll the screen.
    writeToErrors("\r" + text().prefix(size.columns - 1) + "\u{1b}[K")
    ProgressLine.isShown.withLock { $0 = true }
  }

  /// Erases the line, if there is one, and if `fd` is a terminal too.
  static func erase(beforeWritingTo fd: Int32 = STDERR_FILENO) {
    let wasShown = isShown.withLock { isShown in
      guard isShown, isatty(fd) != 0 else { return false }
      isShown = false
      return true
    }
    if wasShown { writeToErrors("\r\u{1b}[K") }
  }

  deinit { ProgressLine.erase() }
}

/// The lock of the terminal at stderr, held until the process ends.
private final class Turn {
  private let file: Descriptor?
  let isOurs: Bool

  init() {
    // stderr itself is shared by the pipeline, and so would its lock be.
    file = ttyname(STDERR_FILENO).flatMap { path in
      let fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
      return fd < 0 ? nil : Descriptor(owning: fd, path: String(cString: path))
    }
    isOurs = file.map { (try? $0.tryLock()) ?? false } ?? true
  }
}

internal import CPipeIO
internal import Glibc
package import PipeTime
internal import Synchronization

/// What a terminal shows at once, in character cells.
package struct TerminalSize: Equatable {
  package var columns: Int
  package var rows: Int

  package init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }

  /// The size of the terminal at stdout; nil if stdout is not a terminal. A terminal that does not
  /// know its size, such as a serial line, counts as 80 × 24.
  package static var ofOutput: TerminalSize? { of(STDOUT_FILENO) }

  static func of(_ fd: Int32) -> TerminalSize? {
    var size = winsize()
    guard isatty(fd) != 0 else { return nil }
    // A size that is not known stays 0.
    _ = ioctl(fd, UInt(TIOCGWINSZ), &size)
    return TerminalSize(
      columns: size.ws_col > 0 ? Int(size.ws_col) : 80,
      rows: size.ws_row > 0 ? Int(size.ws_row) : 24)
  }
}

/// Closes every descriptor except the standard three. Call it just before the process ends.
package func closeFiles() { cpipe_close_files() }

/// The controlling terminal of this process, if it has one.
package final class ControllingTerminal {
  private let fd = openFile("/dev/tty", O_RDONLY | O_NOCTTY)

  package init() {}

  /// Whether this process's group is in the foreground: it gets what is typed there.
  package var isOurs: Bool { fd >= 0 && tcgetpgrp(fd) == getpgrp() }

  deinit {
    if fd >= 0 { close(fd) }
  }
}

/// Processes that commands left behind when they ended. They become children of this process, so
/// that it can find them: they still hold what their command inherited.
package final class LeftBehind {
  private let children: Int32
  private var known: Set<Int32> = []

  package init() {
    cpipe_become_subreaper()
    let pid = getpid()
    children = cpipe_openat(
      AT_FDCWD, "/proc/self/task/\(pid)/children", O_RDONLY | O_CLOEXEC, 0)
  }

  /// Whether there are processes that did not exist at the last call. `running`: the commands that
  /// have not ended.
  package func hasMore(than running: [Int32]) -> Bool {
    guard cpipe_has_children() != 0 else {
      known.removeAll()
      return false
    }
    guard let all = list() else { return running.isEmpty }
    let others = all.subtracting(running)
    defer { known = others }
    return !others.isSubset(of: known)
  }

  // `4711 4712 `; nil if the system does not list children.
  private func list() -> Set<Int32>? {
    guard children >= 0 else { return nil }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = retryingInterrupts { pread(children, &buffer, buffer.count, text.count) }
      if count < 0 { return nil }
      if count == 0 { break }
      text += buffer[..<count]
    }
    return Set(
      text.split(separator: 0x20).compactMap { Int32(String(decoding: $0, as: UTF8.self)) })
  }

  deinit { if children >= 0 { close(children) } }
}

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

  /// Whether a person can see it: stderr must be a terminal that obeys escape sequences, and NO_COLOR
  /// unset. `sharesOutput`: whether output to a terminal may be mixed with the line.
  package static func isVisible(sharesOutput: Bool = false) -> Bool {
    isatty(STDERR_FILENO) != 0 && (variable("NO_COLOR") ?? "").isEmpty
      && variable("TERM").map({ $0 != "dumb" }) ?? false
      && (sharesOutput || isatty(STDOUT_FILENO) == 0)
  }

  /// nil unless a person can see it. `isInformed`: whether this filter knows the share that is done,
  /// and goes before the others.
  package init?(interval: TimeSpan, isInformed: Bool = false, sharesOutput: Bool = false) {
    guard ProgressLine.isVisible(sharesOutput: sharesOutput) else { return nil }
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

/// A view that fills the terminal and is redrawn in place, like that of top(1). It uses the
/// terminal's other screen, and `run` restores the terminal when it ends: by the key q, at a fault,
/// at a signal, and while the process is stopped by ^Z.
package final class LiveScreen {
  private let signals: SignalQueue
  private let output = Output()
  private let input = TerminalInput()
  private var isShown = false

  /// nil if stdout is not a terminal.
  package init?() throws(Fault) {
    guard TerminalSize.ofOutput != nil else { return nil }
    signals = try SignalQueue([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH])
  }

  /// Draws now, after each interval from start to start, and when the terminal changes its size.
  /// `draw` returns lines without control characters; what does not fit is left out.
  package func run(
    every interval: TimeSpan, _ draw: (TerminalSize) throws(Fault) -> [String]
  ) throws(Fault) {
    try show()
    defer { hide() }
    var next = Clock.steady()
    while true {
      if Clock.steady() >= next {
        try print(draw)
        next = max(next + interval, Clock.steady())
      }
      var poller = Poller()
      let signal = poller.watch(signals.fd)
      let key = input.fd.map { poller.watch($0) }
      try poller.wait(until: next)
      if let key, poller.isReady(key), input.takeEnd() { return }
      if poller.isReady(signal), try obey() { next = .boot }
    }
  }

  private func print(_ draw: (TerminalSize) throws(Fault) -> [String]) throws(Fault) {
    guard let size = TerminalSize.ofOutput else { return }
    let lines = try draw(size).prefix(size.rows)
    output.append("\u{1b}[H")
    // Clears the rest of each line after it is written, so that nothing flickers.
    output.append(lines.joined(separator: "\u{1b}[K\n") + "\u{1b}[K\u{1b}[J")
    try output.flush()
  }

  // Returns whether to draw at once.
  private func obey() throws(Fault) -> Bool {
    var mustDraw = false
    while let signal = signals.take() {
      switch signal {
      case SIGWINCH: mustDraw = true
      case SIGTSTP:
        hide()
        raise(SIGSTOP)
        try show()
        mustDraw = true
      default:
        hide()
        die(of: signal)
      }
    }
    return mustDraw
  }

  private func show() throws(Fault) {
    isShown = true
    input.mute()
    // The other screen, without a cursor.
    output.append("\u{1b}[?1049h\u{1b}[?25l")
    try output.flush()
  }

  private func hide() {
    guard isShown else { return }
    isShown = false
    output.append("\u{1b}[?25h\u{1b}[?1049l")
    // A terminal that is gone needs no restoring.
    try? output.flush()
    input.restore()
  }
}

/// The keyboard of a live view: keys are not echoed, and arrive one by one.
private final class TerminalInput {
  /// nil if stdin is not a terminal.
  let fd: Int32?
  private var before = termios()

  init() {
    let isTerminal = isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &before) == 0
    fd = isTerminal ? STDIN_FILENO : nil
  }

  func mute() {
    guard let fd else { return }
    var muted = before
    muted.c_lflag &= ~tcflag_t(ECHO | ICANON)
    tcsetattr(fd, TCSADRAIN, &muted)
  }

  func restore() {
    // Typed keys must not reach the shell.
    if let fd { tcsetattr(fd, TCSAFLUSH, &before) }
  }

  /// Reads the keys that were typed. Returns whether they end the view: q, or the end of the input.
  func takeEnd() -> Bool {
    var keys = [UInt8](repeating: 0, count: 64)
    let count = read(STDIN_FILENO, &keys, keys.count)
    return count <= 0 || keys[..<count].contains { $0 == 0x71 || $0 == 0x51 }
  }
}

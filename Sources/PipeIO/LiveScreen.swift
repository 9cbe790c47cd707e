internal import Glibc
package import PipeTime

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

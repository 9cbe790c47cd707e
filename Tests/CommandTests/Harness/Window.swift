import Foundation
import TestSupport

/// A terminal of a given size in a private tmux(1), with a shell that a test types into.
final class Window {
  private let scratch: Scratch
  private let name = "pipe-test-\(UUID().uuidString.prefix(8))"
  /// tmux in control mode: it prints a line for each change of the screen.
  private var watcher: Child?
  private var commands = 0

  init(_ scratch: Scratch, columns: Int, rows: Int) throws {
    self.scratch = scratch
    let size = ["-x", "\(columns)", "-y", "\(rows)"]
    let shell = ["env", "PS1=$ ", "LC_ALL=C.UTF-8", "sh"]
    try tmux(["new-session", "-d", "-s", "main"] + size + shell)
    try tmux(["set-option", "-g", "window-size", "manual"])
    watcher = try scratch.start(tmuxCommand(["-C", "attach-session", "-t", "main"]))
    try wait { $0.first == "$" }
  }

  deinit {
    _ = try? tmux(["kill-server"])
    // tmux leaves its socket behind.
    unlink("/tmp/tmux-\(getuid())/\(name)")
    _ = watcher?.finish()
  }

  private func tmuxCommand(_ words: [String]) -> [String] {
    ["tmux", "-L", name, "-f", "/dev/null"] + words
  }

  @discardableResult
  private func tmux(_ words: [String]) throws -> String {
    let run = try scratch.run(tmuxCommand(words))
    guard run.ending == .exited(0) else { throw Failure("\(run)") }
    return run.output
  }

  /// Types a line and Enter.
  func type(_ line: String) throws {
    try tmux(["send-keys", "-t", "main", "-l", line])
    try press("Enter")
  }

  /// Presses a key, by tmux's name.
  func press(_ key: String) throws { try tmux(["send-keys", "-t", "main", key]) }

  func resize(columns: Int, rows: Int) throws {
    try tmux(["resize-window", "-t", "main", "-x", "\(columns)", "-y", "\(rows)"])
  }

  /// What the screen shows, without spaces at the ends of lines and without empty lines at its end.
  func screen() throws -> [String] {
    var lines = try tmux(["capture-pane", "-t", "main", "-p"]).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
    while lines.last == "" { lines.removeLast() }
    return lines
  }

  /// Waits until the screen looks like this, and returns it.
  @discardableResult
  func wait(until isThere: ([String]) -> Bool) throws -> [String] {
    while true {
      let now = try screen()
      if isThere(now) { return now }
      guard watcher?.line() != nil else {
        throw Failure("the screen stays:\n" + now.joined(separator: "\n"))
      }
    }
  }

  /// Clears the screen, runs a command to its end, and returns what it printed.
  func run(_ command: String) throws -> [String] {
    commands += 1
    let end = "end \(commands)"
    try type("clear; \(command); echo \(end)")
    return try wait { $0.suffix(2) == [end, "$"] }.dropLast(2)
  }
}

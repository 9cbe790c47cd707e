import Foundation
import TestSupport

/// Runs a command on a terminal of its own: shows what a person sees there, and types.
enum Terminal {
  /// Each step: the text to wait for on the screen, and the text to type then, or after `!` a shell
  /// command to run.
  private static let driver = """
    import json, os, pty, signal, sys
    process, screen = pty.fork()
    if process == 0:
        os.execvp(sys.argv[2], sys.argv[2:])
    signal.alarm(600)
    seen = b""
    shown = b""
    def look():
        global seen, shown
        try:
            piece = os.read(screen, 4096)
        except OSError:
            return False
        seen += piece
        shown += piece
        return piece != b""
    for awaited, typed in json.loads(sys.argv[1]):
        while awaited.encode() not in shown:
            if not look():
                sys.exit("ended before " + awaited + ": " + repr(seen))
        shown = shown.split(awaited.encode(), 1)[1]
        if typed.startswith("!"):
            os.system(typed[1:])
        else:
            os.write(screen, typed.encode())
    while look():
        pass
    status = os.waitpid(process, 0)[1]
    sys.stdout.write(seen.decode().replace("\\r\\n", "\\n"))
    print("status", os.waitstatus_to_exitcode(status))
    """

  static func run(
    _ scratch: Scratch, _ command: [String], typing steps: [(after: String, text: String)]
  ) throws -> Run {
    let data = try JSONSerialization.data(withJSONObject: steps.map { [$0.after, $0.text] })
    let text = String(decoding: data, as: UTF8.self)
    return try scratch.run(["python3", "-c", driver, text] + command)
  }
}

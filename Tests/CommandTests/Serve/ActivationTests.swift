import Foundation
import TestSupport
import Testing

/// Sockets on which the process that starts the gateway listens for it, as systemd does.
@Suite("Socket activation", .needs("python3"))
struct ActivationTests {
  // Starts `pipe serve` with these sockets as descriptors from 3 on, and asks for its health.
  private func run(
    _ scratch: Scratch, _ sockets: [String], _ options: [String] = [],
    process: String = "os.getpid()"
  ) throws -> Run {
    let program = """
      import os, socket, sys
      kinds = {
        "tcp": lambda: socket.create_server(("127.0.0.1", 0)),
        "tcp6": lambda: socket.create_server(("::1", 0), family=socket.AF_INET6),
        "any": lambda: socket.create_server(("0.0.0.0", 0)),
        "unix": lambda: socket.create_server("socket", family=socket.AF_UNIX),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "file": lambda: open("file", "w"),
      }
      given = [kinds[name]() for name in sys.argv[1].split(",")]
      reading, writing = os.pipe()
      pid = os.fork()
      if pid == 0:
        copies = [os.dup(one.fileno()) for one in given]
        errors = os.dup(writing)
        for number, copy in enumerate(copies): os.dup2(copy, 3 + number)
        os.dup2(errors, 2)
        os.environ.update(LISTEN_FDS=str(len(given)), LISTEN_PID=str(\(process)))
        os.execvp("pipe", ["pipe", "serve"] + sys.argv[2:])
      os.close(writing)
      lines = os.fdopen(reading)
      first = lines.readline()
      print(first, end="")
      if "listening on" in first:
        if "unix:" in first or str(given[0].getsockname()[1]) in first:
          connection = socket.socket(given[0].family)
          connection.connect(given[0].getsockname())
          connection.sendall(b"GET /health HTTP/1.0\\r\\n\\r\\n")
          print(connection.makefile().readline(), end="")
        os.kill(pid, 15)
      print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
      """
    return try scratch.run(["python3", "-c", program, sockets.joined(separator: ",")] + options)
  }

  @Test("serve listens on the socket it is given, TCP or Unix", arguments: ["tcp", "tcp6", "unix"])
  func listens(kind: String) throws {
    let scratch = try Scratch()
    let lines = try run(scratch, [kind], ["--port", "1"]).expect().lines
    #expect(lines.count == 3 && Array(lines.dropFirst()) == ["HTTP/1.1 200 OK", "0"], "\(lines)")
    let place = ["tcp": "http://127.0.0.1:", "tcp6": "http://[::1]:", "unix": "unix:socket"][kind]!
    #expect(lines[0].hasPrefix("pipe serve: listening on \(place)"), "\(lines)")
  }

  @Test("serve leaves alone the sockets of another process")
  func other() throws {
    let scratch = try Scratch()
    let lines = try run(scratch, ["tcp"], ["--port", "0"], process: "1").expect().lines
    #expect(lines.count == 2 && lines[1] == "0", "\(lines)")
  }

  @Test("serve refuses several sockets, and one on which it cannot listen")
  func refuses() throws {
    for (kinds, status) in [(["tcp", "unix"], "78"), (["file"], "78"), (["udp"], "78")] {
      let lines = try run(try Scratch(), kinds).expect().lines
      #expect(lines.count == 2 && lines[1] == status, "\(kinds) \(lines)")
    }
  }

  @Test("serve needs a token for a socket that other machines can reach")
  func token() throws {
    let scratch = try Scratch()
    #expect(try run(scratch, ["any"]).expect().lines.last == "64")
    try scratch.sh("umask 077; echo 0123456789abcdef > token").expect()
    let lines = try run(scratch, ["any"], ["--token-file", "token"]).expect().lines
    #expect(Array(lines.dropFirst()) == ["HTTP/1.1 200 OK", "0"], "\(lines)")
  }
}

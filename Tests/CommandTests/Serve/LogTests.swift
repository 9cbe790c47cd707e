import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The access log")
struct LogTests {
  @Test("the log has a line of JSON for each response, whatever the request was")
  func access() throws {
    let gateway = try Gateway(try Scratch(), "--access-log")
    let targets = [
      "/nothing?q=\"\\&x=%1b%00'<>", "/" + String(repeating: "a", count: 15000), "/health",
    ]
    for target in targets { _ = try gateway.get(target) }
    #expect(try gateway.post("/log", "1").status == 202)
    let odd = try Connection(gateway.port)
    odd.send([0x16, 0x03, 0x01, 0x1b, 0xff])
    #expect(try odd.replies().map(\.status) == [400])
    let connection = try Connection(gateway.port)
    connection.send(
      Array("GET /nothing HTTP/1.1\r\nHost: \u{1b}".utf8) + [0xff, 0x0d, 0x0a, 0x0d, 0x0a])
    #expect(try connection.replies().map(\.status) == [400])
    let lines = gateway.stop().errors.split(separator: "\n").filter { $0.hasPrefix("{") }
    let served = try lines.map { line -> [String: Any] in
      let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
      return value as? [String: Any] ?? [:]
    }
    #expect(served.map { $0["status"] as? Int } == [404, 404, 200, 202, 400, 400])
    #expect(served.prefix(3).map { $0["target"] as? String } == targets)
    #expect(served.map { $0["method"] as? String } == ["GET", "GET", "GET", "POST", "", ""])
    for line in served {
      #expect(line["client"] as? String == "127.0.0.1" && line["bytes"] as? Int ?? 0 > 0, "\(line)")
      #expect(
        line["seconds"] is Double && (line["time"] as? String)?.hasSuffix("Z") == true, "\(line)")
      #expect(line.count == 7, "\(line)")
    }
    #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 >= 0x20 } })
  }

  @Test("an unread log delays no response, and reports how many lines are missing")
  func unread() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch, "--access-log")
    // stderr is not read meanwhile, and the log is longer than its pipe and buffer can hold.
    let target = "/" + String(repeating: "a", count: 15000)
    let request = Gateway.request("GET", target)
    for _ in 0..<20 {
      let connection = try Connection(gateway.port)
      for _ in 0..<20 {
        connection.send(request)
        #expect(try connection.reply().status == 404)
      }
    }
    #expect(try gateway.post("/log", "1").status == 202)
    var lines = 0
    var dropped = 0
    while lines + dropped < 401, let line = gateway.child.errorLine() {
      if line.hasPrefix("{") {
        #expect(line.hasSuffix("}"))
        lines += 1
      } else if line.contains("log lines were dropped") {
        dropped += line.split(separator: " ").compactMap { Int($0) }.first ?? 0
      }
    }
    #expect(lines + dropped == 401 && dropped > 0, "\(lines) \(dropped)")
    gateway.stop().expect("", errors: nil)
  }

  @Test("an unread log does not keep the gateway from ending")
  func unreadEnd() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch, "--access-log")
    let target = "/" + String(repeating: "a", count: 15000)
    for _ in 0..<30 { #expect(try gateway.get(target).status == 404) }
    gateway.child.signal(SIGTERM)
    #expect(gateway.child.reap() == .exited(0))
  }

  @Test("the gateway serves even if its log is closed or on a full disk", .needs("python3"))
  func nowhere() throws {
    let scratch = try Scratch()
    let program = """
      import json, os, socket, subprocess, sys
      listening = socket.create_server(("127.0.0.1", 0))
      port = listening.getsockname()[1]
      def child():
        os.dup2(listening.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
        if sys.argv[1] == "closed": os.close(2)
        else: os.dup2(os.open("/dev/full", os.O_WRONLY), 2)
        os.execvp("pipe", ["pipe", "serve", "--access-log"])
      pid = os.fork()
      if pid == 0: child()
      for number in range(20):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(b"POST /log HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 1\\r\\n\\r\\n1")
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 202"), answer
        connection.close()
      os.kill(pid, 15)
      assert os.waitpid(pid, 0)[1] == 0
      """
    for way in ["closed", "full"] {
      try scratch.run(["python3", "-c", program, way]).expect("")
    }
    #expect(try scratch.pipe("list").expect().lines.count == 40)
    let found = try scratch.sh("grep -rl listening queue")
    found.expect("", status: 1)
  }
}

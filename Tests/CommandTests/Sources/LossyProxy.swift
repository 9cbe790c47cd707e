import Glibc
import TestSupport

/// A proxy that withholds the first response; without a gateway (port 0) every response is 204.
final class LossyProxy {
  private let child: Child
  let address: String

  init(_ scratch: Scratch, to port: UInt16) throws {
    child = try scratch.start(["python3", "-c", LossyProxy.program, "\(port)"])
    guard let own = child.line() else { throw Failure("no proxy: \(child.finish())") }
    address = "http://127.0.0.1:\(own)"
  }

  deinit { child.signal(SIGKILL) }

  private static let program = """
    import http.client, http.server, sys
    class Proxy(http.server.BaseHTTPRequestHandler):
      count = 0
      def log_message(self, *all): pass
      def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if sys.argv[1] == "0":
          self.send_response(204)
          self.end_headers()
          return
        there = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
        there.request("POST", self.path, body, dict(self.headers))
        answer = there.getresponse()
        text = answer.read()
        Proxy.count += 1
        if Proxy.count == 1: return
        self.send_response(answer.status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
    server = http.server.HTTPServer(("127.0.0.1", 0), Proxy)
    print(server.server_port, flush=True)
    server.serve_forever()
    """
}

import Foundation
import Glibc
import Testing

/// The node exporter for `texts/`, and a Prometheus that scrapes it each second, until the test
/// ends.
final class MonitoringServers {
  private let scratch: Scratch
  private let exporter: Child
  private let prometheus: Child
  private let port: Int

  init(_ scratch: Scratch) throws {
    self.scratch = scratch
    let ports = try freePorts(2)
    port = ports[1]
    exporter = try scratch.start([
      "sh", "-c",
      "exec prometheus-node-exporter --collector.disable-defaults --collector.textfile "
        + "--collector.textfile.directory=texts --web.listen-address=127.0.0.1:\(ports[0]) "
        + "> exporter.log 2>&1",
    ])
    try scratch.write(
      """
      global: { scrape_interval: 1s, scrape_timeout: 1s }
      scrape_configs:
        - job_name: node
          static_configs: [{ targets: ["127.0.0.1:\(ports[0])"] }]

      """, to: "prometheus.yml")
    prometheus = try scratch.start([
      "sh", "-c",
      "exec prometheus --config.file=prometheus.yml --storage.tsdb.path=data "
        + "--web.listen-address=127.0.0.1:\(port) > prometheus.log 2>&1",
    ])
  }

  /// Current values of an expression; none if none are known or the server does not respond.
  func ask(_ expression: String) throws -> [Double] {
    let program = """
      import json, sys, urllib.parse, urllib.request
      query = urllib.parse.urlencode({"query": sys.argv[2]})
      try: answer = urllib.request.urlopen("http://127.0.0.1:%s/api/v1/query?%s" % (sys.argv[1], query))
      except OSError: sys.exit()
      for result in json.load(answer)["data"]["result"]: print(result["value"][1])
      """
    let environment = ["no_proxy": "*"]
    return try scratch.run(["python3", "-c", program, "\(port)", expression], environment)
      .expect(nil).lines.compactMap(Double.init)
  }

  func stop() throws {
    for server in [prometheus, exporter] {
      server.signal(SIGTERM)
      let run = server.finish()
      guard run.ending == .exited(0) || run.ending == .killed(SIGTERM) else {
        throw Failure("a server did not stop: \(run)")
      }
    }
  }
}

/// Free ports of loopback.
func freePorts(_ count: Int) throws -> [Int] {
  let sockets = (0..<count).map { _ in
    socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  }
  defer { for number in sockets { close(number) } }
  return try sockets.map { number in
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(number, $0, size) == 0 && getsockname(number, $0, &size) == 0
      }
    }
    guard isBound else { throw Failure("no free port: \(errno)") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

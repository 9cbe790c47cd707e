import Foundation
import Glibc
import TestSupport
import Testing

/// The node exporter for `texts/`, and a Prometheus that scrapes it each second, or does what
/// another configuration says, until the test ends.
final class MonitoringServers {
  private let scratch: Scratch
  private let exporter: Child
  private let prometheus: Child
  private let port: Int

  init(_ scratch: Scratch, configuration: String = "prometheus.yml") throws {
    self.scratch = scratch
    let ports = try Loopback.freePorts(2)
    port = ports[1]
    exporter = try scratch.start([
      "sh", "-c",
      "exec prometheus-node-exporter --collector.disable-defaults --collector.textfile "
        + "--collector.textfile.directory=texts --web.listen-address=127.0.0.1:\(ports[0]) "
        + "> exporter.log 2>&1",
    ])
    if configuration == "prometheus.yml" {
      try scratch.write(
        """
        global: { scrape_interval: 1s, scrape_timeout: 1s }
        scrape_configs:
          - job_name: node
            static_configs: [{ targets: ["127.0.0.1:\(ports[0])"] }]

        """, to: configuration)
    }
    prometheus = try scratch.start([
      "sh", "-c",
      "exec prometheus --config.file=\(configuration) --storage.tsdb.path=data "
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

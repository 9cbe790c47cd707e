import Foundation
import Glibc
import TestSupport
import Testing

/// A RabbitMQ broker on free loopback ports, with its data in a directory of its own. It ends with
/// the process that started it, even if that crashes, because its stdin closes.
final class RabbitMQServer {
  private let scratch: Scratch
  private let ports: [Int]
  private var child: Child?

  /// Shared by tests that do not stop it, since its start takes seconds; each test has its own
  /// queues.
  nonisolated(unsafe) static let shared = Result { try RabbitMQServer(Scratch()) }

  init(_ scratch: Scratch) throws {
    self.scratch = scratch
    ports = try Loopback.freePorts(3)
    try scratch.sh(
      """
      mkdir -p rabbit; cd rabbit; echo '[].' > plugins; : > env
      printf 'max_message_size = 100000\\nlog.console = true\\n' > rabbitmq.conf
      """
    ).expect("")
    try start()
  }

  func start() throws {
    let line = """
      (epmd -port \(ports[1]) -address 127.0.0.1 & exec \(RabbitMQServer.program)) > rabbit.log 2>&1 &
      read -r end
      exec setsid sh -c "kill -9 -$$; rm -rf '$PWD'"
      """
    try scratch.write("", to: "rabbit.log")
    child = try scratch.start(["bash", "-c", line], settings)
    // No program is run for this: Erlang needs the processors itself.
    try wait(
      until: { String(decoding: try scratch.read("rabbit.log"), as: UTF8.self).contains(started) },
      "RabbitMQ")
  }

  private let started = "Server startup complete"

  func pause() { child.map { _ = kill(-$0.process, SIGSTOP) } }

  func resume() { child.map { _ = kill(-$0.process, SIGCONT) } }

  /// Writes its tables to disk. It does so only after a while, and a crash before undoes the declaration of a
  /// durable queue.
  func flush() throws {
    let words = [
      "/usr/lib/rabbitmq/bin/rabbitmqctl", "eval", "mnesia:sync_log(), mnesia:dump_log().",
    ]
    let run = try scratch.run(words, settings)
    #expect(run.output.contains("dumped"), run.story)
  }

  /// Like a power cut, except that the kernel keeps its data.
  func crash() {
    guard let child else { return }
    kill(-child.process, SIGKILL)
    child.reap()
    self.child = nil
  }

  deinit { crash() }

  private var settings: [String: String] {
    let base = scratch.path("rabbit")
    return [
      "HOME": base, "ERL_EPMD_PORT": "\(ports[1])", "RABBITMQ_DIST_PORT": "\(ports[2])",
      "RABBITMQ_NODE_PORT": "\(ports[0])", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
      "RABBITMQ_NODENAME": "pipe\(ports[0])@localhost", "RABBITMQ_MNESIA_BASE": base + "/mnesia",
      "RABBITMQ_LOG_BASE": base + "/log", "RABBITMQ_LOGS": "-",
      "RABBITMQ_ENABLED_PLUGINS_FILE": base + "/plugins",
      "RABBITMQ_CONFIG_FILE": base + "/rabbitmq.conf", "RABBITMQ_CONF_ENV_FILE": base + "/env",
      "RABBITMQ_PID_FILE": base + "/pid",
    ]
  }

  /// For a sink, a source or `ask`.
  var environment: [String: String] {
    [
      "RABBITMQ_URL": "amqp://guest:guest@127.0.0.1:\(ports[0])/%2F",
      "PYTHONPATH": ProcessInfo.processInfo.environment["PYTHONPATH"] ?? "",
      "PYTHONDONTWRITEBYTECODE": "1",
    ]
  }

  /// Runs a Python program with a channel `c`, and returns what it prints.
  @discardableResult
  func ask(_ body: String, in scratch: Scratch) throws -> [String] {
    let program = """
      import os, pika
      connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
      c = connection.channel()
      P = pika.BasicProperties
      def take(queue, ack=True):
        while True:
          method, properties, body = c.basic_get(queue, auto_ack=ack)
          if not method: return
          yield properties, body.decode()
      \(body)
      """
    return try scratch.run(["python3", "-c", program], environment).expect().lines
  }

  func depth(_ queue: String) throws -> Int {
    let body = "print(c.queue_declare('\(queue)', passive=True).method.message_count)"
    return Int(try ask(body, in: scratch).first ?? "") ?? -1
  }

  /// Without the user check of Debian's program in the PATH.
  static let program = "/usr/lib/rabbitmq/bin/rabbitmq-server"
}

extension Trait where Self == Needs {
  static var needsRabbitMQ: Needs {
    Needs {
      lacks("epmd")
        ?? (access(RabbitMQServer.program, X_OK) == 0 ? nil : "rabbitmq-server is not installed")
        ?? (imports("pika") ? nil : "pika is not installed (a package of Python)")
    }
  }
}

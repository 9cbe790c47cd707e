import Foundation
import TestSupport
import Testing

@Suite("examples/worker/pipe-worker@.service")
struct WorkerUnitTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  @Test("systemd approves of the unit", .needs("systemd-analyze"))
  func approved() throws {
    try scratch.sh(
      """
      sed 's|/usr/local/bin/pipe|\(Binary.path)|' '\(UserManager.unit)' > pipe-worker@jobs.service
      systemd-analyze verify --man=no ./pipe-worker@jobs.service 2>&1 | grep pipe-worker
      """
    ).expect("", status: 1)
  }

  @Test("units stop pipe, and not what it runs")
  func mode() throws {
    try scratch.sh(
      "cd '\(Repository.path)/examples' && grep -c '^KillMode=mixed$' */pipe-*.service"
    ).expect(
      "serve/pipe-serve.service:1\nsinks/pipe-sink@.service:1\nworker/pipe-worker@.service:1\n")
  }

  @Test(
    "a stop waits for the running command, which gets no signal, and starts nothing more",
    .needsUserManager)
  func stop() throws {
    let gate = try Gate(scratch)
    let manager = try UserManager(scratch)
    try scratch.sh(
      """
      printf '%s\\n' "trap 'echo signalled >> log' TERM" 'echo started >> log' \
        'until read go < gate; do :; done' 'echo ended >> log' > command
      pipe submit sh command > ids && pipe submit sh command >> ids
      """
    ).expect("")
    #expect(try manager.systemctl("start pipe-worker@jobs").status == "0")
    try wait(until: { try scratch.lines(of: "log") == ["started"] })
    #expect(try manager.systemctl("--no-block stop pipe-worker@jobs").status == "0")
    try wait(until: { try manager.state() == "stop-sigterm" })
    #expect(try scratch.lines(of: "log") == ["started"])
    gate.letPass()
    try wait(until: { try manager.state() == "dead" })
    #expect(try scratch.lines(of: "log") == ["started", "ended"])
    try scratch.sh("pipe list --state done | wc -l; pipe list --state ready | wc -l")
      .expect("1\n1\n")
    try manager.stop()
  }

  @Test(
    "the .env file chooses a handler and sets its variables, and a failed command is no failed unit",
    .needsUserManager)
  func settings() throws {
    let manager = try UserManager(scratch)
    try scratch.write("echo \"$(cat) $NAME\" >> log; exit 3\n", to: "handler")
    try scratch.write(
      """
      # A comment.
      PIPE_RUN="consume --follow -- sh \(scratch.path("handler"))"
      NAME="a b"

      """, to: "jobs.env")
    try scratch.store("7")
    #expect(try manager.systemctl("start pipe-worker@jobs").status == "0")
    try wait(until: { try scratch.lines(of: "log").first == "7 a b" })
    #expect(try manager.systemctl("stop pipe-worker@jobs").status == "0")
    #expect(try manager.systemctl("is-failed pipe-worker@jobs").output == "inactive")
    try manager.stop()
  }
}

import TestSupport
import Testing

@Suite("examples/sinks/pipe-sink@.service")
struct SinkUnitTests {
  @Test("systemd approves of the unit", .needs("systemd-analyze"))
  func approved() throws {
    let scratch = try Scratch()
    try scratch.sh(
      """
      sed 's|/usr/local/bin/pipe|\(Binary.path)|' \
        '\(Repository.path)/examples/sinks/pipe-sink@.service' > pipe-sink@postgres.service
      systemd-analyze verify --man=no ./pipe-sink@postgres.service 2>&1 | grep pipe-sink
      """
    ).expect("", status: 1)
  }
}

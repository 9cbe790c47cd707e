import PipeIO
import Testing

@testable import PipeWork

@Suite("What an exit status means")
struct ExitDispositionTests {
  @Test("0 acknowledges, 65 buries, a useless command stops the consumer, and all else retries")
  func statuses() {
    for status in Int32(0)...255 {
      let expected: ExitDisposition =
        switch status {
        case 0: .acknowledge
        case 65: .bury
        case 64, 69, 77, 78, 126, 127: .stop
        default: .retry
        }
      #expect(ExitDisposition(.exited(status), wasEnded: false) == expected, "\(status)")
      #expect(ExitDisposition(.exited(status), wasEnded: true) == .retry, "\(status)")
    }
    #expect(ExitDisposition(.killed(signal: 9), wasEnded: false) == .retry)
  }
}

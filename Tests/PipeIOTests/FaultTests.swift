import Glibc
import Testing

@testable import PipeIO

@Suite("Faults")
struct FaultTests {
  @Test("a failed call's text says where, what and why")
  func text() {
    let fault = Fault("open", "a/b", code: ENOENT)
    #expect(fault.text == "a/b: cannot open: No such file or directory")
    #expect(fault.code == ENOENT)
    #expect(Fault.brokenPipe.text == "stdout: cannot write: Broken pipe")
  }

  @Test("a failed call's fault has the code of the call")
  func errnoOfCall() {
    #expect(close(-1) == -1)
    #expect(Fault("close", "a") == Fault("close", "a", code: EBADF))
  }

  @Test(
    "each error code has a kind, and its kind an exit status",
    arguments: [
      (ENOENT, Fault.Kind.notFound, 66), (ENOTDIR, .notFound, 66), (ESTALE, .notFound, 66),
      (EACCES, .permission, 77), (EPERM, .permission, 77), (EROFS, .permission, 77),
      (ENOSPC, .tryLater, 75), (EDQUOT, .tryLater, 75), (EMFILE, .tryLater, 75),
      (ENFILE, .tryLater, 75), (ENOMEM, .tryLater, 75), (EAGAIN, .tryLater, 75),
      (EMLINK, .tryLater, 75), (EIO, .inputOutput, 74), (EPIPE, .inputOutput, 74),
      (ELOOP, .inputOutput, 74), (0, .inputOutput, 74),
    ] as [(Int32, Fault.Kind, Int32)])
  func kinds(_ code: Int32, _ kind: Fault.Kind, _ status: Int32) {
    let fault = Fault("read", "a", code: code)
    #expect(fault.kind == kind)
    #expect(Exit.status(of: fault.kind) == status)
  }

  @Test("kinds without an error code have statuses too")
  func statuses() {
    let kinds: [Fault.Kind] = [
      .unknown, .usage, .unavailable, .bug, .cannotCreate, .outcomeUnknown, .claimLost, .settings,
    ]
    #expect(kinds.map(Exit.status) == [1, 64, 69, 70, 73, 74, 76, 78])
  }

  @Test(
    "a message shows characters that a terminal would obey as escapes",
    arguments: [
      ("a b.c", "a b.c"), ("ä日😀", "ä日😀"), ("a\nb", #"a\u{a}b"#), ("\u{1b}[2J", #"\u{1b}[2J"#),
      ("\u{7f}\u{9b}", #"\u{7f}\u{9b}"#), ("a\u{202e}b", #"a\u{202e}b"#),
      ("\u{2066}\u{2069}", #"\u{2066}\u{2069}"#),
    ])
  func printing(_ text: String, _ shown: String) {
    #expect(printable(text) == shown)
    #expect(Fault("open", text, code: EIO).text == "\(shown): cannot open: Input/output error")
  }

  @Test("an interrupted call is repeated until it succeeds or fails otherwise")
  func interrupted() {
    var calls = 0
    let result: Int32 = retryingInterrupts {
      calls += 1
      errno = EINTR
      return calls < 3 ? -1 : 7
    }
    #expect(result == 7)
    #expect(calls == 3)
    let failed: Int = retryingInterrupts {
      calls += 1
      errno = calls < 6 ? EINTR : EIO
      return -1
    }
    #expect(failed == -1)
    #expect(errno == EIO)
    #expect(calls == 6)
  }
}

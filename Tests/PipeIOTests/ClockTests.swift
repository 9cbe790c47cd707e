import Glibc
import Testing

@testable import PipeIO
import PipeTime

@Suite("Clocks")
struct ClockTests {
  @Test("the steady clock never goes back")
  func steady() {
    var last = Clock.steady()
    for _ in 0..<10_000 {
      let next = Clock.steady()
      #expect(next >= last)
      last = next
    }
  }

  @Test("the wall clock counts microseconds since 1970")
  func wall() {
    func seconds() -> Int64 {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return Int64(time.tv_sec)
    }
    let before = seconds()
    let now = Clock.now()
    #expect((before...seconds()).contains(now.microseconds / 1_000_000))
  }

  @Test("a busy wait ends at its instant, and at once if that is past")
  func await() {
    let instant = Clock.steady() + .microseconds(200)
    Clock.await(instant)
    #expect(Clock.steady() >= instant)
    Clock.await(.distantPast)
  }

  @Test("a clock that was not set reports nothing, and draining it does not block")
  func steps() throws {
    let steps = ClockSteps()
    try #require(steps.fd >= 0)
    steps.drain()
    var entry = pollfd(fd: steps.fd, events: Int16(POLLIN), revents: 0)
    #expect(poll(&entry, 1, 0) == 0)
  }
}

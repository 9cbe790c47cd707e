import Testing

@testable import PipeGateway

@Suite("Deadlines")
struct DeadlinesTests {
  private var deadlines = Deadlines(limits)

  @Test("a connection without a deadline never expires")
  mutating func none() {
    #expect(deadlines.expiry(at: second(1_000_000)) == nil)
    deadlines.setRequestDeadline(at: second(0))
    deadlines.clearDeadline()
    #expect(deadlines.expiry(at: second(1_000_000)) == nil)
  }

  @Test("a request has 30 s to arrive")
  mutating func request() {
    deadlines.setRequestDeadline(at: second(100))
    #expect(deadlines.expiry(at: second(130)) == nil)
    #expect(deadlines.expiry(at: second(131)) == .late)
  }

  @Test("an idle connection has 75 s until its next request")
  mutating func idle() {
    deadlines.setIdleDeadline(at: second(100))
    #expect(deadlines.expiry(at: second(175)) == nil)
    #expect(deadlines.expiry(at: second(176)) == .late)
  }

  @Test("a lingering close lasts 5 s")
  mutating func lingering() {
    deadlines.setIdleDeadline(at: second(100))
    deadlines.setLingeringClose(at: second(100))
    #expect(deadlines.expiry(at: second(105)) == nil)
    #expect(deadlines.expiry(at: second(106)) == .late)
  }

  @Test("a later event does not give the client of an event stream more time")
  mutating func events() {
    deadlines.setEventDeadline(at: second(100))
    deadlines.setEventDeadline(at: second(109))
    #expect(deadlines.expiry(at: second(110)) == nil)
    #expect(deadlines.expiry(at: second(111)) == .late)
  }

  @Test("a client that takes nothing for 75 s is stalled, even while its request is late")
  mutating func stalled() {
    deadlines.setRequestDeadline(at: second(100))
    deadlines.setWritable(false, isStopping: false, at: second(100))
    #expect(deadlines.expiry(at: second(131)) == .late)
    #expect(deadlines.expiry(at: second(175)) == .late)
    #expect(deadlines.expiry(at: second(176)) == .stalled)
  }

  @Test("a client that reads again is not stalled")
  mutating func writable() {
    deadlines.setWritable(false, isStopping: false, at: second(100))
    deadlines.setWritable(true, isStopping: false, at: second(170))
    #expect(deadlines.expiry(at: second(1_000_000)) == nil)
  }

  @Test("a client of a stopping server that takes nothing for 5 s is stalled")
  mutating func stalledWhileStopping() {
    deadlines.setWritable(false, isStopping: true, at: second(100))
    #expect(deadlines.expiry(at: second(105)) == nil)
    #expect(deadlines.expiry(at: second(106)) == .stalled)
  }

  @Test("a stopping server gives a request that has begun 5 s, and an unread response 5 s")
  mutating func stopping() {
    deadlines.setRequestDeadline(at: second(100))
    deadlines.stop(isReading: true, isWritable: true, at: second(101))
    #expect(deadlines.expiry(at: second(106)) == nil)
    #expect(deadlines.expiry(at: second(107)) == .late)
    deadlines.stop(isReading: false, isWritable: false, at: second(101))
    #expect(deadlines.expiry(at: second(107)) == .stalled)
  }

  @Test("a stopping server leaves other connections their time")
  mutating func stoppingIdle() {
    deadlines.setIdleDeadline(at: second(100))
    deadlines.stop(isReading: false, isWritable: true, at: second(101))
    #expect(deadlines.expiry(at: second(175)) == nil)
  }
}

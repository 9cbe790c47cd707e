import PipeTime
import Testing

@testable import PipeIntake

@Suite("When entries become ready")
struct ScheduleTests {
  private let now = Instant(microseconds: 1_763_700_000_000_000)

  @Test("a delay is kept with the instant at which it ends")
  func delay() {
    let start = Schedule.after(.seconds(90)).start(now)
    #expect(start?.notBefore == now + .seconds(90) && start?.delay == .seconds(90))
  }

  @Test("an instant in the past, and a delay of zero, delay nothing")
  func past() {
    for schedule in [Schedule.at(now), .at(now - .seconds(1)), .after(.zero)] {
      let start = schedule.start(now)
      #expect(start != nil && start?.notBefore == nil && start?.delay == nil)
    }
    #expect(Schedule.at(now + .seconds(1)).start(now)?.notBefore == now + .seconds(1))
  }

  @Test("without an option, each line decides")
  func own() { #expect(Schedule.own.start(now) == nil) }
}

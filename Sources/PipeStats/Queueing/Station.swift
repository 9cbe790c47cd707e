/// A queue as the models see it: customers come at random, independently of each other, and each is served for
/// a time that does not depend on the others, first come, first served.
package struct Station {
  /// λ: customers that come, per second.
  package let arrivals: Double
  /// 1/µ, in seconds.
  package let service: Double
  /// σ², of the service times, in seconds².
  package let variance: Double

  /// Nil where a rate is not above 0, or something is no number.
  package init?(arrivals: Double, service: Double, variance: Double) {
    guard arrivals > 0, service > 0, variance >= 0, arrivals.isFinite, service.isFinite,
      variance.isFinite, (arrivals * service).isFinite, (1 / service).isFinite
    else { return nil }
    self.arrivals = arrivals
    self.service = service
    self.variance = variance
  }

  /// µ: what one consumer can serve, per second.
  package var rate: Double { 1 / service }

  /// ρ: how many consumers are busy on average; one cannot keep up from 1 on.
  package var load: Double { arrivals * service }

  /// The least number of consumers that keep up; nil when a million do not.
  package var consumersNeeded: Int? { load < 1e6 ? Int(load) + 1 : nil }
}

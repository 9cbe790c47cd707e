/// M/G/1: one consumer, service times of any distribution.
package struct GeneralService {
  /// Seconds.
  package let meanWait: Double
  /// Waiting and service, in seconds.
  package let meanTotal: Double

  /// W = λ(σ² + 1/µ²) / 2(1 − ρ): Pollaczek, Math. Zeitschrift 32 (1930), pp. 64–100; Khinchine, Mat. Sbornik
  /// 39 (1932), pp. 73–84; Kleinrock, Queueing Systems I (1975), section 5.5. Nil when ρ is 1 or more.
  package init?(_ station: Station) {
    let square = station.variance + station.service * station.service
    meanWait = station.arrivals * square / (2 * (1 - station.load))
    meanTotal = meanWait + station.service
    guard station.load < 1, meanTotal.isFinite else { return nil }
  }
}

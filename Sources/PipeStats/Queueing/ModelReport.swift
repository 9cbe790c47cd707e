/// Predictions of queueing models beside the measurements. The customers are batches, since a
/// consumer serves one batch at a time: λ is the number of batches that arrived per second, and a
/// failed batch took its service time too.
package struct ModelReport {
  /// Settled batches, done and failed.
  package let batches: Int
  /// The length of the window.
  package let seconds: Double?
  package let itemsPerBatch: Double
  /// Batches that arrived, estimated from the items.
  package let arrivals: Double
  /// The measured times, per item.
  package let wait: Latency
  package let total: Latency
  /// Nil if there are too few samples.
  package let station: Station?
  /// M/M/1 and M/G/1; nil if one consumer cannot keep up.
  package let exponential: ExponentialService?
  package let general: GeneralService?
  /// M/M/2, or the least M/M/c that keeps up; nil if a million consumers do not.
  package let more: ExponentialService?

  /// Below this number of batches the models are not used.
  package static let fewest = 30

  /// `accepted`: items that arrived in `seconds`.
  package init(_ activity: Activity, accepted: Int, seconds: Double?) {
    var service = activity.batches
    service.add(activity.failures)
    batches = service.count
    self.seconds = seconds
    let success = activity.success
    let items = Double(success.acknowledged) + Double(success.failed)
    let itemsPerBatch = batches > 0 ? items / Double(batches) : 0
    self.itemsPerBatch = itemsPerBatch
    arrivals = itemsPerBatch > 0 ? Double(accepted) / itemsPerBatch : 0
    wait = activity.wait
    total = activity.total
    station = Self.station(service, arrivals, seconds)
    exponential = station.flatMap { ExponentialService($0) }
    general = station.flatMap { GeneralService($0) }
    more = station.flatMap { station in
      station.consumersNeeded.flatMap {
        ExponentialService(station, consumers: max(2, $0))
      }
    }
  }

  private static func station(
    _ service: Latency, _ arrivals: Double, _ seconds: Double?
  ) -> Station? {
    guard let seconds, arrivals > 0, let sample = Sample(service), service.count >= fewest else {
      return nil
    }
    return Station(
      arrivals: arrivals / seconds, service: sample.mean, variance: sample.variance)
  }

  /// Whether one consumer keeps up; nil if there are too few samples.
  package var isStable: Bool? { station.map { _ in exponential != nil } }
}

/// Whether two consumers differ in how long they take and in how much succeeds. The unit is the batch: all
/// items of a batch share its service time and mostly its fate, so that to count each of them would pretend to
/// more independent measurements than there are (Hurlbert, "Pseudoreplication and the design of ecological
/// field experiments", Ecological Monographs 54 (1984), pp. 187–211), and make p too small.
package struct Comparison {
  package let first: ComparedSide
  package let second: ComparedSide
  /// Of the service times of acknowledged batches; both nil where there are too few samples, and
  /// Welch's where the times of neither vary.
  package let welch: Welch?
  package let mannWhitney: MannWhitney?
  /// Of the ratios of success; nil where one of the two settled nothing.
  package let success: RatioDifference?

  /// Below this many batches on a side their times are not compared.
  package static let fewest = 10
  /// The p below which a difference is called one.
  package static let significance = 0.05

  package init(_ first: ComparedSide, _ second: ComparedSide) {
    self.first = first
    self.second = second
    success = RatioDifference(first.done, second.done)
    let isEnough = first.isEnough && second.isEnough
    if let one = first.sample, let two = second.sample, isEnough {
      welch = Welch(one, two)
    } else {
      welch = nil
    }
    mannWhitney = isEnough ? MannWhitney(first.values, second.values) : nil
  }

  /// A difference as a part of the first mean, which is taken as exact; nil where that is 0.
  func part(_ difference: Double) -> Double? {
    guard let mean = first.sample?.mean, mean > 0 else { return nil }
    return difference / mean
  }
}

/// One of the two that are compared.
package struct ComparedSide {
  package let name: String
  /// Service times of acknowledged batches.
  package let service: Latency
  /// Nil below two batches.
  package let sample: Sample?
  /// Acknowledged batches of all settled ones.
  package let done: Proportion

  package init(_ activity: Activity, named name: String) {
    self.name = name
    service = activity.batches
    sample = Sample(service)
    done = Proportion(part: service.count, rest: activity.failures.count)
  }

  var isEnough: Bool { service.count >= Comparison.fewest }

  var values: [(value: Double, count: Int)] { service.values.map { ($0.seconds, $0.count) } }
}

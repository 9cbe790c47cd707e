extension ModelReport {
  /// The same as JSON, one line without its newline. Seconds; null where a model has no answer.
  package var line: String {
    object([
      "verdict": quoted(isStable.map { $0 ? "stable" : "unstable" } ?? "too few samples"),
      "batches": "\(batches)", "seconds": number(seconds),
      "items_per_batch": number(batches > 0 ? itemsPerBatch : nil),
      "lambda": number(station?.arrivals), "mu": number(station?.rate),
      "rho": number(station?.load), "service": service,
      "measured": object(["wait": measured(wait), "total": measured(total)]),
      "mm1": json(exponential),
      "mg1": general.map {
        object([
          "wait": object(["mean": number($0.meanWait)]),
          "total": object(["mean": number($0.meanTotal)]),
        ])
      } ?? "null",
      "mmc": json(more), "sentence": quoted(sentence),
    ])
  }

  private var service: String {
    object(["mean": number(station?.service), "variance": number(station?.variance)])
  }

  private func measured(_ latency: Latency) -> String {
    object([
      "mean": number(latency.mean), "p50": number(latency.percentile(50)),
      "p99": number(latency.percentile(99)),
    ])
  }

  private func json(_ model: ExponentialService?) -> String {
    guard let model else { return "null" }
    return object([
      "consumers": "\(model.consumers)", "waiting": number(model.waiting),
      "wait": times(model.meanWait, model.wait),
      "total": times(model.meanTotal, model.total),
    ])
  }

  private func times(_ mean: Double, _ quantile: (Double) -> Double?) -> String {
    object(["mean": number(mean), "p50": number(quantile(0.5)), "p99": number(quantile(0.99))])
  }
}

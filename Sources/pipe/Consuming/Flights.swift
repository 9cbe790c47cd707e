internal import PipeIO
internal import PipeQueue

/// The claims whose lines are in a window.
struct Flights {
  private var held: [EntryID: Flight] = [:]
  private var dirty: [Flight] = []
  /// Bytes of data of those that are held.
  private(set) var bytes = 0

  mutating func add(_ flight: Flight) {
    held[flight.batch] = flight
    bytes += flight.bytes.count
  }

  /// What becomes of an item of a line, to be settled.
  mutating func decide(_ line: StreamLine, _ index: Int, _ outcome: Outcome) {
    if !line.flight.isDirty { dirty.append(line.flight) }
    line.flight.decide(index, outcome)
    line.open -= 1
  }

  /// Settles what was decided.
  mutating func settle(_ claimer: Claimer) throws(Fault) {
    let flights = dirty
    dirty.removeAll(keepingCapacity: true)
    var fault: Fault?
    for flight in flights {
      do throws(Fault) {
        if try !flight.settle(claimer) { continue }
      } catch { fault = fault ?? error }
      forget(flight)
    }
    if let fault { throw fault }
  }

  /// What is left of all of them has failed; returns what became of it.
  mutating func retry(_ claimer: Claimer, _ failure: Failure) throws(Fault) -> [Disposal] {
    var disposals: [Disposal] = []
    for flight in held.values.sorted(by: { $0.batch < $1.batch }) {
      if let disposal = try flight.retry(claimer, failure) { disposals.append(disposal) }
    }
    self = Flights()
    return disposals
  }

  private mutating func forget(_ flight: Flight) {
    if held.removeValue(forKey: flight.batch) != nil { bytes -= flight.bytes.count }
  }
}

import PipeIntake
import PipeQueue
import PipeTime

@testable import PipeJSON
@testable import PipeWork

private let now = Instant(microseconds: 1_780_000_000_000_000)

/// The scanner accepts and refuses what a plain validator does, at the same byte.
func fuzzScanner(_ input: UnsafeRawBufferPointer) {
  var scanner = LineScanner(watching: [])
  var found: JSONFault?
  do throws(JSONFault) { _ = try scanner.scan(input) } catch { found = error }
  require(found == NaiveValidator.fault(in: Array(input)), "two validators agree")
}

/// An entry line is refused, or its data are a JSON value within the line; a record likewise.
func fuzzEntry(_ input: UnsafeRawBufferPointer) {
  var reader = EntryLineReader()
  if let entry = try? reader.read(input, slice: 3, now: now) {
    let data = Array(input[entry.data])
    require(NaiveValidator.fault(in: data) == nil, "the data of an entry are JSON")
  }
  var validator = RecordValidator()
  guard let record = try? validator.judge(input) else { return }
  require(NaiveValidator.fault(in: Array(input[record.data])) == nil, "a record is JSON")
  if case .ids(_, _, let count) = record { require(count > 0, "an id request has ids") }
  var builder = EntryBuilder(slice: 3)
  let entry = builder.entry(record, options: nil, at: now)
  var batch = WriteBatch()
  let isIDs = if case .ids = record { true } else { false }
  builder.withData(record.data, of: input, isIDs: isIDs) { batch.append(entry, data: $0) }
  require(batch.receipts.count == 1, "a record becomes an entry")
}

/// A settlement line is refused, or each of its outputs is JSON.
func fuzzSettlement(_ input: UnsafeRawBufferPointer) {
  var reader = SettlementReader()
  guard let settlement = try? reader.read(input) else { return }
  require(settlement.claim == reader.claim, "the claim is that of the line")
  for output in [settlement.output] + (settlement.items ?? []).map(\.output) {
    guard let output else { continue }
    require(NaiveValidator.fault(in: output) == nil, "an output is JSON")
  }
}

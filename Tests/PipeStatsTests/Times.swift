import PipeTime

// In these tests a number is a time or a span in microseconds.
extension Instant: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int64) { self.init(microseconds: value) }
}

extension TimeSpan: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int64) { self.init(microseconds: value) }
}

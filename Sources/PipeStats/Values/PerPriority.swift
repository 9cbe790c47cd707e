/// One value for each of the three priorities.
package struct PerPriority<Value> {
  package var high: Value
  package var medium: Value
  package var low: Value

  package init(high: Value, medium: Value, low: Value) {
    self.high = high
    self.medium = medium
    self.low = low
  }

  package init(all value: Value) { self.init(high: value, medium: value, low: value) }

  /// The values with their names, highest priority first.
  package var named: [(name: String, value: Value)] {
    [("HIGH", high), ("MEDIUM", medium), ("LOW", low)]
  }

  package func map<Other>(_ transform: (Value) -> Other) -> PerPriority<Other> {
    PerPriority<Other>(high: transform(high), medium: transform(medium), low: transform(low))
  }
}

extension PerPriority where Value == Int {
  package var sum: Int { high &+ medium &+ low }
}

/// Where what `isBefore` says of the numbers from 0 on changes from true to false: by doubling `first` until it
/// does, and then by bisection, to 13 digits.
func root(near first: Double, _ isBefore: (Double) -> Bool) -> Double {
  var low = 0.0
  var high = first
  while isBefore(high), high < 1e300 { (low, high) = (high, high * 2) }
  for _ in 0..<100 where high - low > 1e-13 * high {
    let middle = (low + high) / 2
    if isBefore(middle) { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

/// `p < 0.001`, or p to two significant digits: `p = 0.041`.
func said(_ p: Double) -> String {
  guard p >= 0.001 else { return p.isNaN ? "p unknown" : "p < 0.001" }
  return "p = " + fixed(p, 2 - (Decimal(p, digits: 2)?.point ?? 1))
}

/// Of a part of 1: `12.1 %`; three digits where there would be none, or very many.
func percent(_ part: Double) -> String {
  let value = part * 100
  let isPlain = value == 0 || (0.1...1e6).contains(abs(value))
  return (isPlain ? fixed(value, 1) : threeDigits(value)) + " %"
}

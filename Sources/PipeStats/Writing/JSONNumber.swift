/// A number as JSON has it, to 6 significant digits or to the unit, whichever is finer. Plain from 10⁻⁹ to
/// 10¹⁵, with an exponent beyond; `null` where there is none, or none that is finite.
func number(_ value: Double?) -> String {
  guard let value, let sixth = Decimal(value, digits: 6) else { return "null" }
  if value == 0 { return "0.0" }
  if sixth.point > 15 || sixth.point < -8 { return sixth.scientific }
  return (sixth.point > 6 ? Decimal(value.rounded(), digits: 17) : sixth)?.plain ?? "null"
}

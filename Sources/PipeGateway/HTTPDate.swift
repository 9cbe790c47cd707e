internal import Glibc

enum HTTPDate {
  /// A time in the form of RFC 9110 (5.6.7): `Sat, 21 Nov 2026 05:00:00 GMT`. `seconds`: since the
  /// Unix epoch; now by default.
  static func text(_ seconds: Int = time(nil)) -> String {
    var seconds = seconds
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)])"
    let clock = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
    return "\(day) \(parts.tm_year + 1900) \(clock) GMT"
  }

  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension String {
  /// With `?` in place of every character that a terminal would obey.
  var plain: String {
    let scalars = unicodeScalars.map { $0.properties.generalCategory.isShown ? $0 : "?" }
    return String(String.UnicodeScalarView(scalars))
  }
}

extension Unicode.GeneralCategory {
  fileprivate var isShown: Bool {
    switch self {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned,
      .privateUse:
      false
    default: true
    }
  }
}

/// A value that an option or an argument takes.
protocol OptionValue {
  /// nil: the text is not such a value.
  init?(argument: String)
  /// What a value looks like, for the diagnostic of one that does not; nil: see `--help`.
  static var form: String? { get }
  /// Values that a shell offers.
  static var words: [String] { get }
}

extension OptionValue {
  static var form: String? { words.isEmpty ? nil : "give " + listed(words) }
  static var words: [String] { [] }
}

extension OptionValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  init?(argument: String) { self.init(rawValue: argument) }
  static var words: [String] { allCases.map(\.rawValue) }
}

extension String: OptionValue {
  init?(argument: String) { self = argument }
}

extension Int: OptionValue {
  init?(argument: String) {
    guard argument.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    self.init(argument)
  }

  static var form: String? { "a whole number" }
}

/// `a, b or c`.
func listed(_ words: [String]) -> String {
  words.count < 2
    ? words.joined() : words.dropLast().joined(separator: ", ") + " or " + words[words.count - 1]
}

/// An option with a value: `@Option("-q", "--queue", value: "dir", "The queue.") var queue: String?`.
/// If it is given twice, the last value counts, except that an array takes each.
@propertyWrapper
struct Option<Value> {
  // The parser sets the value after the command was created. A captured variable needs no metadata of
  // its own type at run time, as an object would.
  private let current: () -> Value

  var wrappedValue: Value { current() }

  init(wrappedValue: Value, _ names: String..., value: String, _ help: String)
  where Value: OptionValue {
    var current = wrappedValue
    self.current = { current }
    Grammar.declare(
      Declaration(names, value, help, Value.self) { text in
        guard let parsed = Value(argument: text) else { return false }
        current = parsed
        return true
      })
  }

  /// `alone`: the value if the option is given without one.
  init<Wrapped: OptionValue>(
    _ names: String..., value: String, alone: Wrapped? = nil, _ help: String
  ) where Value == Wrapped? {
    var current: Wrapped?
    self.current = { current }
    var declaration = Declaration(names, value, help, Wrapped.self) { text in
      guard let parsed = Wrapped(argument: text) else { return false }
      current = parsed
      return true
    }
    if let alone { declaration.takeAlone = { current = alone } }
    Grammar.declare(declaration)
  }

  /// `several`: each use takes all words up to the next option.
  init<Element: OptionValue>(
    _ names: String..., value: String, several: Bool = false, _ help: String
  ) where Value == [Element] {
    var current: [Element] = []
    self.current = { current }
    var declaration = Declaration(names, value, help, Element.self) { text in
      guard let parsed = Element(argument: text) else { return false }
      current.append(parsed)
      return true
    }
    declaration.isRepeatable = true
    declaration.takesSeveral = several
    Grammar.declare(declaration)
  }
}

/// An option without a value.
@propertyWrapper
struct Flag {
  private let current: () -> Bool

  var wrappedValue: Bool { current() }

  init(_ names: String..., help: String) {
    var current = false
    self.current = { current }
    Grammar.declare(
      Declaration(names, nil, help, nil) { _ in
        current = true
        return true
      })
  }
}

/// The words that are not options.
@propertyWrapper
struct Arguments<Value> {
  private let current: () -> Value

  var wrappedValue: Value { current() }

  init<Element: OptionValue>(
    _ name: String, place: ArgumentPlace = .anywhere, isRequired: Bool = false, _ help: String
  ) where Value == [Element] {
    var current: [Element] = []
    self.current = { current }
    var declaration = Declaration([], name, help, Element.self) { text in
      guard let parsed = Element(argument: text) else { return false }
      current.append(parsed)
      return true
    }
    declaration.isRepeatable = true
    Grammar.declare(declaration, place, isRequired: isRequired)
  }
}

enum ArgumentPlace {
  case anywhere
  /// Only after `--`.
  case afterDashes
  /// The first word that is no option, or the one after `--`, and all that follow.
  case rest
}

/// Options that another type declares.
@propertyWrapper
struct Group<Options: OptionGroup> {
  let wrappedValue: Options

  init() {
    wrappedValue = Options()
    Grammar.declare(check: wrappedValue.validate)
  }
}

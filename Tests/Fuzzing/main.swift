import Glibc

/// A boundary that gets bytes from outside. It must neither trap nor break a rule, whatever the bytes.
enum Boundary: String {
  case scanner, entry, settlement, segment, name, head
}

/// A rule that holds for every input.
func require(_ holds: Bool, _ rule: String) {
  if !holds { fatalError("broken: \(rule)") }
}

@_silgen_name("LLVMFuzzerRunDriver")
func runFuzzer(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ each: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

let boundary = getenv("FUZZ").flatMap { Boundary(rawValue: String(cString: $0)) }
var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
let status = runFuzzer(&count, &arguments) { start, count in
  let input = UnsafeRawBufferPointer(start: start, count: count)
  switch boundary {
  case .scanner: fuzzScanner(input)
  case .entry: fuzzEntry(input)
  case .settlement: fuzzSettlement(input)
  case .segment: fuzzSegment(input)
  case .name: fuzzName(input)
  case .head: fuzzHead(input)
  case nil: fatalError("set FUZZ to scanner, entry, settlement, segment, name or head")
  }
  return 0
}
exit(status)

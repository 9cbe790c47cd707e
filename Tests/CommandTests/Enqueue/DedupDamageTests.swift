import Foundation
import TestSupport
import Testing

@Suite("Damaged files of enqueue --dedup")
struct DedupDamageTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.sh(
      "echo '\"known\"' | pipe enqueue --raw --dedup 1h --quiet; cp -r queue/dedup whole"
    )
    .expect("")
  }

  /// Applies each damage, stores a known and a new record, and prints each wrong outcome.
  private func survives(_ harms: [String], at location: SourceLocation = #_sourceLocation) throws {
    let program = """
      number=0
      while read -r harm; do
        rm -rf queue/dedup; cp -r whole queue/dedup; eval "$harm"; number=$((number + 1))
        printf '"known"\\n"new %d"\\n' $number | pipe enqueue --raw --dedup 1h > out 2> err
        status=$?
        hits=$(grep -c duplicate out) stored=$(grep -vc duplicate out)
        [ "$status $hits $stored" = "0 1 1" ] || echo "$harm: $status $hits $stored $(cat err)"
      done
      """
    let run = try scratch.sh(program, input: harms.map { $0 + "\n" }.joined())
    run.expect("", at: location)
    try scratch.sh("pipe consume | sort -u | wc -l").expect("\(harms.count + 1)\n", at: location)
  }

  private func change(_ byte: Int, _ value: String = "Z") -> String {
    "printf '\(value)' | dd of=queue/dedup/1 bs=1 seek=\(byte) conv=notrunc status=none"
  }

  @Test("a damaged byte anywhere in the header costs a look at the segments and no entry")
  func header() throws {
    try survives((0..<160).map { change($0, $0 % 2 == 0 ? "Z" : "\\377") })
  }

  @Test("damage in the last bytes of any page costs no entry")
  func trailers() throws {
    try survives(
      stride(from: 1, through: 16, by: 3).flatMap { page in
        (4080..<4088).map { change(page * 4096 + $0) }
      })
  }

  @Test("a wrong name in dedup/, or a directory in place of a file, costs no entry")
  func names() throws {
    let names = ["0", "2", "00", "9", "999999999999", "999999999999999999", "1000000000000000000"]
    try survives(
      names.flatMap {
        ["mv queue/dedup/1 queue/dedup/\($0)", "cp queue/dedup/1 queue/dedup/\($0)"]
      }
        + [
          "rm queue/dedup/1; mkdir -p queue/dedup/1/x", "mkdir -p queue/dedup/2/x",
          "mkdir -p queue/dedup/new/x; rm queue/dedup/1", "mkdir queue/dedup/999999999999999999",
          "cp queue/dedup/1 queue/dedup/3; rm queue/dedup/1",
          "rm queue/dedup/1; mkdir queue/dedup/0",
        ])
  }
}

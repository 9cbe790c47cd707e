import Foundation
import Testing

@Suite("a queue of format 1")
struct UpgradeTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    try scratch.store("1", "2", "3")
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    let old = """
      cd queue && rmdir later dead && rm pace &&
      name=$(ls now | grep again) && mv now/$name now/${name%.*} &&
      printf 'pipe-queue 1\\nslice 3\\nmin-free 67108864\\nretain 604800000000\\n' > format
      """
    try scratch.sh(old).expect("")
  }

  private var format: String? {
    (try? scratch.read("queue/format")).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(
    "is read, and becomes one of this version", arguments: ["list", "status", "dead", "consume"])
  func upgraded(command: String) throws {
    let id = try #require(try scratch.sh("pipe list").expect().objects().first?["id"] as? String)
    if command == "status" {
      try scratch.pipe("status", id).expect()
    } else {
      try scratch.pipe(command, "-q", "queue").expect()
    }
    #expect(format?.hasPrefix("pipe-queue 2\nslice 3\n") == true)
    if command != "consume" { try scratch.pipe("consume").expect("2\n3\n") }
  }

  @Test("has all that is new also when init changes its settings first")
  func changed() throws {
    try scratch.pipe("init", "--slice", "5", "--backoff", "0ms..0ms").expect("")
    #expect(format?.hasPrefix("pipe-queue 2\nslice 5\n") == true)
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.sh("pipe retry --all | wc -l").expect("1\n")
    try scratch.pipe("consume").expect("2\n3\n")
  }

  @Test("may be looked at by who may not write it", .needsPermissions)
  func readOnly() throws {
    try scratch.sh("chmod -R a-w queue").expect()
    try scratch.run(Unprivileged.prefix + [Scratch.binary, "list"]).expect()
    #expect(format?.hasPrefix("pipe-queue 1\n") == true)
    try scratch.sh("chmod -R u+w queue").expect()
  }
}

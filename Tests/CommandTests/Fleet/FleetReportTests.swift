import TestSupport
import Testing

@Suite("Roles and reports of a queue in PostgreSQL", .needsFleet)
struct FleetReportTests {
  private let fleet: Fleet

  init() throws { fleet = try Fleet() }

  @Test("init grants roles: a reader looks, a producer stores, a consumer takes, and no more")
  func roles() throws {
    for kind in ["reader", "producer", "consumer"] {
      _ = try fleet.ask("create role \"\(kind) x\" login")
      try fleet.sh("pipe init --grant '\(kind)=\(kind) x'").expect("")
    }
    let by = { (kind: String) in
      "PIPE_QUEUE=" + fleet.address.replacing("postgres@", with: kind + "%20x@")
    }
    let id = try fleet.sh("\(by("producer")) pipe enqueue --raw", input: "1\n2\n").expect()
      .receipts[0]
    try fleet.sh("echo 3 | \(by("producer")) pipe ingest > /dev/null").expect(errors: nil)
    for kind in ["reader", "producer"] {
      try fleet.sh("\(by(kind)) pipe consume -n 1").expect("", errors: nil, status: 77)
      try fleet.sh("\(by(kind)) pipe status \(id) | grep -c yet_to_start").expect("1\n")
      try fleet.sh("\(by(kind)) pipe stats > stats; \(by(kind)) pipe explain \(id) > why").expect()
    }
    try fleet.sh("echo 4 | \(by("reader")) pipe enqueue --raw").expect("", errors: nil, status: 77)
    try fleet.sh("\(by("consumer")) pipe consume -n 1").expect("1\n")
    try fleet.sh("\(by("consumer")) pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    try fleet.sh("pipe init --grant consumer=absent").expect("", errors: nil, status: 66)
    try fleet.sh("pipe init -q here --grant consumer=x").expect("", errors: nil, status: 64)
    try fleet.sh("test ! -e here").expect()
  }

  @Test("stats has the age of the oldest item, and explain the pace and when an item leaves")
  func reports() throws {
    try fleet.sh("seq 3 | pipe enqueue --raw --quiet").expect()
    try fleet.sh("echo 4 | pipe enqueue --raw --quiet --delay 1h").expect()
    let age = """
      pipe stats --json | jq -c '[.oldest_ready_seconds[] | if . then . >= 0 and . < 600 else . end]'
      """
    try fleet.sh(age).expect("[null,true,null]\n")
    let list = try fleet.sh("pipe list --state ready | jq -r .id").expect()
    try fleet.sh("pipe consume -n 1 --every 1h").expect("1\n")
    let pace = "[.pace.every_seconds, .pace.size, (.pace.next_in_seconds | . > 0 and . <= 3600)]"
    try fleet.sh("pipe explain --json \(list.lines[2]) | jq -c '\(pace)'").expect("[3600,1,true]\n")
    try fleet.sh("pipe consume; \(age)").expect("2\n3\n[null,null,null]\n")
  }

  @Test("stats counts each waiting item in one age column, however it waits")
  func ages() throws {
    try fleet.sh("seq 9 | pipe enqueue --raw --quiet").expect()
    for delay in ["1h", "2h"] {
      try fleet.sh("seq 2 | pipe enqueue --raw --quiet --delay \(delay)").expect()
    }
    try fleet.sh(#"echo '{"ids":[1,2,3],"priority":"LOW"}' | pipe enqueue --raw --quiet"#).expect()
    let ages = "pipe stats --json | jq -c '[.ages.HIGH, .ages.MEDIUM, .ages.LOW | add]'"
    try fleet.sh(ages).expect("[0,13,3]\n")
    // Dead, ready again after a failure, held, done, cancelled.
    try fleet.sh("pipe init --retries 0; pipe consume -n 2 -- false").expect(
      errors: nil, status: 1)
    try fleet.sh("pipe init --retries 5 --backoff 0ms..0ms; pipe consume -n 3 -- false").expect(
      errors: nil, status: 1)
    try fleet.sh("pipe batch -n 1 --size 2 --hold 1h > claim; pipe consume -n 1").expect("4\n")
    try fleet.sh("pipe list --state later | jq -r .id | head -1 | xargs pipe cancel").expect(nil)
    try fleet.sh(ages).expect("[0,8,3]\n")
  }

  @Test("explain estimates from the recent rate when an item leaves")
  func rate() throws {
    let ids = try fleet.sh("seq 1000 | pipe enqueue --raw").expect().receipts
    let rates = "[.pace.items_per_second, .runs[0].in_seconds] | map(. != null and . > 0) | all"
    try wait(until: {
      try fleet.sh("pipe consume -n 1").expect(nil)
      return try fleet.sh("pipe explain --json \(ids[999]) | jq '\(rates)'").output == "true\n"
    })
  }
}

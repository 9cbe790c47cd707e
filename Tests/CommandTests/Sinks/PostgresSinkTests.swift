import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/sinks/postgres", .needsPostgres)
struct PostgresSinkTests {
  private let scratch: Scratch
  private let server: PostgresServer
  private let sink = Scratch.sink("postgres")

  init() throws {
    scratch = try Scratch()
    server = try PostgresServer(scratch)
    try scratch.run(
      ["psql", "-Xqf", "\(Repository.path)/examples/sinks/postgres.sql"], server.environment
    ).expect("")
  }

  private func run(_ more: [String: String] = [:]) throws -> Run {
    try scratch.sh(sink, server.environment.merging(more) { $1 })
  }

  @Test("a crashed server and a killed consumer leave 100,000 rows, each once")
  func crashes() throws {
    var ids = try scratch.storeMany(1...40_000)
    let following = Scratch.sink("postgres", "--follow --size 1000 --stream")
    let consumer = try scratch.start(line: following, server.environment)
    try wait(until: { try server.count() > 0 })
    let lock = try server.hold()
    ids += try scratch.storeMany(40_001...70_000)
    try scratch.waitForClaim()
    let before = try server.count()
    server.crash()
    _ = lock.finish()
    try server.start()
    try wait(until: { try server.count() > before })
    let hold = try server.hold()
    ids += try scratch.storeMany(70_001...100_000)
    try scratch.waitForClaim()
    consumer.signal(SIGKILL)
    // Its worker cannot report what it commits now: everything is delivered again.
    hold.finish().expect("held\n")
    try wait(until: {
      try run().expect(errors: nil)
      return try scratch.pipe("list").expect().output.isEmpty
    })
    #expect(try server.ask("SELECT id FROM logs ORDER BY id") == ids)
    let sums = "SELECT count(DISTINCT data), sum((data->>'price')::numeric) FROM logs"
    #expect(try server.ask(sums) == ["100000|5000100000.00"])
  }

  @Test("a keepalive timer of at most 15 s detects a server that vanished")
  func keepalive() throws {
    try scratch.store("1")
    let hold = try server.hold()
    let consumer = try scratch.start(line: sink, server.environment)
    try wait(until: { try keepalives().contains { $0 <= 15 } }, "a keepalive timer")
    hold.finish().expect("held\n")
    consumer.finish().expect("", errors: nil)
  }

  /// Seconds until the next keepalive probe of each connection to the server.
  private func keepalives() throws -> [Int] {
    let port = String(server.port, radix: 16, uppercase: true)
    // Foundation reads only the first page of such a file.
    let table = try scratch.sh("cat /proc/net/tcp").expect().lines
    // sl local_address rem_address st tx:rx tr:tm->when, in hundredths: proc_net_tcp.txt of Linux.
    return table.map { $0.split(separator: " ") }
      .filter { $0[2].hasSuffix(":\(port)") && $0[5].hasPrefix("02:") }
      .compactMap { Int($0[5].dropFirst(3), radix: 16).map { $0 / 100 } }
  }

  @Test("only rows that the server refuses are buried, with the server's words")
  func badRows() throws {
    try server.psql(
      """
      ALTER TABLE logs ADD age integer GENERATED ALWAYS AS ((data->>'age')::integer) STORED
      CHECK (age < 150)
      """
    ).expect("")
    let good = (1...400).map { #"{"age":\#($0 % 100),"n":\#($0)}"# }
    let bad = [#"{"a":"x\u0000"}"#, #"{"age":"old"}"#, #"{"age":200}"#]
    let lines = good[..<200] + bad + good[200...]
    try scratch.sh("pipe enqueue --raw --quiet", input: lines.joined(separator: "\n")).expect("")
    try run().expect("", errors: nil, status: 1)
    #expect(try server.count() == 400)
    let reasons = try scratch.buried()
    #expect(Set(reasons.keys) == Set(bad), "\(reasons)")
    let words = [
      #"unsupported Unicode escape sequence: \u0000 cannot be converted to text."#,
      #"invalid input syntax for type integer: "old""#,
      #"new row for relation "logs" violates check constraint "logs_age_check""#,
    ]
    for (data, start) in zip(bad, words) {
      #expect(reasons[data]?.hasPrefix(start) == true, "\(reasons)")
    }
  }

  @Test("a trigger may refuse a row in any way, and may be slow")
  func trigger() throws {
    try server.psql(
      """
      CREATE FUNCTION check_data() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(0.005);
        IF NEW.data = '7' THEN RAISE EXCEPTION 'no sevens' USING ERRCODE = 'AP001'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER t BEFORE INSERT ON logs FOR EACH ROW EXECUTE FUNCTION check_data()
      """
    ).expect("")
    try scratch.store(1...100)
    let hasty = ["PGOPTIONS": "-c statement_timeout=300", "SINK_WAIT": "600"]
    try run(hasty).expect("", errors: nil, status: 1)
    #expect(try server.count() == 99)
    #expect(try scratch.buried() == ["7": "no sevens"])
  }

  @Test("redelivered items are not stored again, not even items of an id request")
  func redelivery() throws {
    let ids = try scratch.store(#"{"ids":[7,8,7]}"#, "1", "2")
    try scratch.sh("cp -r queue again").expect("")
    try run().expect("")
    try run(["PIPE_QUEUE": scratch.path("again")]).expect("")
    #expect(
      try server.ask("SELECT id || ' ' || data FROM logs ORDER BY id") == [
        "\(ids[0]) 7", "\(ids[0])-2 8", "\(ids[0])-3 7", "\(ids[1]) 1", "\(ids[2]) 2",
      ])
  }

  @Test("a table with a key of type uuid gets the bits of the ids, each item once")
  func uuids() throws {
    try server.psql("DROP TABLE logs").expect("")
    let file = "\(Repository.path)/examples/sinks/postgres-uuid.sql"
    try scratch.run(["psql", "-Xqf", file], server.environment).expect("")
    let ids = try scratch.store(#"{"ids":[7,8,7]}"#, "1", "2")
    try scratch.sh("cp -r queue again").expect("")
    try run().expect("")
    try run(["PIPE_QUEUE": scratch.path("again")]).expect("")
    try server.psql("INSERT INTO logs (data) VALUES ('3')").expect("")
    let receipts = ids.map { "'\($0)'" }.joined(separator: ",")
    let rows =
      "SELECT receipt_id(id), data FROM logs WHERE receipt_id(id) IN (\(receipts)) ORDER BY id"
    #expect(try server.ask(rows) == zip(ids, [7, 1, 2]).map { "\($0)|\($1)" })
    let others = try server.ask("SELECT id, data FROM logs WHERE data IN ('7', '8') ORDER BY data")
    let first = try server.ask("SELECT receipt_uuid('\(ids[0])')")[0]
    #expect(others.contains("\(first)|7") && others.count == 3)
    // As uuid_generate_v5 of PostgreSQL's extension uuid-ossp makes them.
    let made = ["2", "3"].map { name in
      "import uuid; print(uuid.uuid5(uuid.UUID('\(first)'), '\(name)'))"
    }
    let second = try scratch.run(["python3", "-c", made[0]]).expect().lines[0]
    let third = try scratch.run(["python3", "-c", made[1]]).expect().lines[0]
    #expect(Set(others) == ["\(first)|7", "\(second)|8", "\(third)|7"])
    #expect(try server.count() == 6)
  }

  @Test("a table with a rule, which COPY would ignore, or row-level security gets rows by INSERT")
  func noCopy() throws {
    try server.psql(
      """
      CREATE TABLE ruled (LIKE logs INCLUDING ALL); CREATE RULE none AS ON INSERT TO ruled DO INSTEAD NOTHING
      """
    ).expect("")
    try scratch.store("0")
    try run(["SINK_TABLE": "ruled"]).expect("")
    #expect(try server.ask("SELECT data FROM ruled") == [])
    try server.psql(
      """
      CREATE ROLE writer LOGIN; GRANT ALL ON logs TO writer; ALTER TABLE logs ENABLE ROW LEVEL SECURITY;
      CREATE POLICY all_rows ON logs USING (true)
      """
    ).expect("")
    try scratch.store("1", "2")
    try run(["PGUSER": "writer"]).expect("")
    #expect(try server.ask("SELECT data FROM logs ORDER BY id") == ["1", "2"])
  }

  @Test("data is neither SQL nor a line of COPY, and keeps every digit")
  func bytes() throws {
    let records = [
      #"["'); DROP TABLE logs; --", "\\.", "\\N", "a\tb\nc", "$$", "%s"]"#, #""\\.""#, "null",
      #"{"big": 123456789012345678901234567890.10, "é": "\ud83d\ude00"}"#,
    ]
    try scratch.sh("pipe enqueue --raw --quiet", input: records.joined(separator: "\n")).expect("")
    try scratch.store("[1,\t2,\r3]")
    try run().expect("")
    var expected = records
    expected[3] = #"{"é": "😀", "big": 123456789012345678901234567890.10}"#
    #expect(try server.ask("SELECT data FROM logs ORDER BY id") == expected + ["[1, 2, 3]"])
  }

  @Test("settings that cannot work stop the consumer, no attempt counted")
  func settings() throws {
    try server.psql(
      """
      CREATE ROLE locked LOGIN PASSWORD 'secret'; CREATE ROLE reader LOGIN;
      CREATE TABLE keyless (id text, data jsonb);
      CREATE TABLE more (id text PRIMARY KEY, data jsonb, source text NOT NULL)
      """
    ).expect("")
    try scratch.store("1")
    for (environment, words) in [
      (["PGDATABASE": "nothing"], #"database "nothing" does not exist"#),
      (["PGUSER": "nobody"], #"role "nobody" does not exist"#),
      (["PGUSER": "locked", "PGPASSWORD": "wrong"], "password authentication failed"),
      (["PGUSER": "reader"], "permission denied for table logs"),
      (["SINK_TABLE": "nothing"], #"relation "nothing" does not exist"#),
      (["SINK_TABLE": "keyless"], "no unique or exclusion constraint"),
      (["SINK_TABLE": "more"], #"null value in column "source""#),
      (["POSTGRES_URL": "postgres:s3cret@x"], "POSTGRES_URL: libpq cannot parse it"),
    ] {
      let run = try run(environment).expect("", errors: nil, status: 69)
      #expect(run.errors.contains(words) && !run.errors.contains("s3cret"), run.story)
    }
    #expect(try scratch.attempts() == ["1 1"])
  }

  @Test("the sink waits for a server that is away, and gives all items back after SINK_WAIT")
  func away() throws {
    try scratch.store("1", "2")
    server.crash()
    let stopped = try run(["SINK_WAIT": "0.2"]).expect("", errors: nil, status: 69)
    #expect(stopped.errors.contains("Connection refused"), stopped.story)
    let consumer = try scratch.start(line: sink, server.environment)
    #expect(consumer.errorLine()?.contains("trying again") == true)
    try server.start()
    consumer.finish().expect("", errors: nil)
    #expect(try server.count() == 2)
  }

  @Test("a commit is on disk even if the role has synchronous_commit off")
  func durable() throws {
    try server.psql(
      """
      ALTER ROLE postgres SET synchronous_commit = off;
      ALTER TABLE logs ADD mode text DEFAULT current_setting('synchronous_commit')
      """
    ).expect("")
    try scratch.store("1")
    try run().expect("")
    #expect(try server.ask("SELECT mode FROM logs") == ["on"])
  }
}

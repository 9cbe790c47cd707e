import Foundation
import TestSupport
import Testing

@Suite("examples/example.env")
struct EnvironmentFileTests {
  private let scratch: Scratch
  /// The lines with settings.
  private let settings: [String]

  init() throws {
    scratch = try Scratch()
    let path = Repository.path + "/examples/example.env"
    let text = try String(contentsOfFile: path, encoding: .utf8)
      .replacing("/var/lib/pipe/queue", with: scratch.path("other"))
    try scratch.write(text, to: ".env")
    settings = try scratch.lines(of: ".env").filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }

  @Test(
    "each line is blank, a comment, or a setting that shells, systemd and containers read alike")
  func portable() throws {
    #expect(settings.count > 5)
    for line in settings {
      #expect(line.wholeMatch(of: #/[A-Z_]+=[A-Za-z0-9_.\/:@%?+,=-]+/#) != nil, "\(line)")
    }
  }

  @Test(
    "the commands of pipe(1) read the file in each shell, and pipe then uses it",
    .needs("bash", "dash", "zsh", "fish", "jq"),
    arguments: [
      ("bash", "set -a; . ./.env; set +a"), ("dash", "set -a; . ./.env; set +a"),
      ("zsh", "set -a; . ./.env; set +a"), ("fish", "export (grep '^[A-Z]' .env)"),
    ])
  func shells(shell: String, line: String) throws {
    #expect(Page(name: "man/pipe.1").text.replacing("\\&", with: "").contains(line))
    let names = settings.compactMap { $0.split(separator: "=").first }.joined(separator: "|")
    let script = """
      \(line)
      env | grep -E '^(\(names))='
      seq 3 | pipe enqueue --raw --quiet
      pipe list -q other | wc -l
      pipe status x 2>&1 | jq -r .command
      """
    // Only the file names a queue.
    let run = try scratch.run([shell, "-c", script], ["PIPE_QUEUE": ""]).expect(nil, status: 0)
    #expect(run.lines.dropLast(2).sorted() == settings.sorted(), run.story)
    #expect(run.lines.suffix(2) == ["3", "status"], run.story)
  }
}

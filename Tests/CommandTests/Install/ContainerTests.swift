import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/container")
struct ContainerTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.sh("cp -r '\(Repository.path)/examples/'{container,monitoring} .").expect("")
  }

  /// Runs a program in a root directory that has nothing but the binary and /queues.
  private func bare(_ arguments: String) -> String { "unshare -r chroot bare /pipe \(arguments)" }

  private func makeBare() throws {
    try scratch.sh("mkdir -p bare/queues && cp '\(ReleaseBuild.path)' bare/pipe").expect("")
  }

  @Test(
    "in a root directory without /proc and /dev, the binary stores, delivers and reports",
    .needsRelease, .needsMounts)
  func bareRoot() throws {
    try makeBare()
    try scratch.sh(
      """
      export PIPE_QUEUE=/queues/main
      \(bare("init"))
      printf '{"n":1}\\n{"n":2}\\n' | \(bare("enqueue --raw")) > receipts
      \(bare("consume -n 1")) > item; cat item; \(bare("consume -- /pipe list --state claimed")) | wc -l
      \(bare("status")) $(cut -d '"' -f 4 receipts) | grep -c '"status":"completed"'
      ls bare
      """
    ).expect("{\"n\":1}\n1\n2\npipe\nqueues\n")
  }

  @Test(
    "in such a root directory, the gateway stores what is posted and ends at SIGTERM",
    .needsRelease, .needsMounts, .needs("curl"))
  func bareGateway() throws {
    try makeBare()
    let child = try scratch.start(line: bare("serve --port 0"), ["PIPE_QUEUE": "/queues/main"])
    let url = child.errorLine()?.split(separator: " ").last ?? "none"
    let post = try scratch.sh("curl -s --noproxy '*' --json 7 -w ' %{http_code}' \(url)/log")
    #expect(normalized(post.output) == #"{"ingestion_id":"ULID"} 202"#, post.story)
    child.signal(SIGTERM)
    #expect(child.finish().ending == .exited(0))
    // Without /proc, a consumer may report that it cannot watch a pipe; it need not watch a file.
    try scratch.sh("\(bare("consume -q /queues/main")) > item; cat item").expect("7\n")
  }

  @Test(
    "buildah makes an image of the binary alone, and its container keeps a queue in a volume",
    .needsRelease, .needsBuildah)
  func image() throws {
    try scratch.sh("cp '\(ReleaseBuild.path)' container/pipe; mkdir volume").expect("")
    let run = try scratch.sh(
      """
      exec 2> log
      \(Buildah.command) build --isolation chroot -t pipe container > log &&
        name=$(\(Buildah.command) from localhost/pipe) || exit
      (cd $(\(Buildah.command) mount $name) && find . ! -type d)
      \(Buildah.command) inspect --format '{{.OCIv1.Config.Entrypoint}}' $name; echo
      pipe() {
        \(Buildah.command) run --isolation chroot -v $PWD/volume:/var/lib/pipe $name -- \
          /usr/bin/pipe "$@"
      }
      # buildah can lose the output of a container, so what it did is read from the volume.
      echo '{"n":1}' | pipe enqueue --raw --quiet
      pipe stats --prometheus --output /var/lib/pipe/metrics
      grep 'items{.*ready.*MEDIUM' volume/metrics | cut -d ' ' -f 2
      command pipe consume -q volume/queue
      ls volume
      """, ["PIPE_QUEUE": ""])
    run.expect(
      """
      ./usr/bin/pipe
      [/usr/bin/pipe]
      1
      {"n":1}
      metrics
      queue

      """, errors: nil, "\(try scratch.lines(of: "log"))")
  }

  @Test("docker-compose and promtool approve of the files", .needs("docker-compose", "promtool"))
  func approved() throws {
    try scratch.sh(
      """
      cd container && docker-compose -f compose.yaml config -q
      sed -i 's|/run/secrets|.|' prometheus.yml && echo token > token && cp ../monitoring/alerts.yml .
      promtool check config prometheus.yml | grep -c SUCCESS
      """
    ).expect("3\n")
  }

  @Test(
    "the Prometheus of the compose file sees the metrics of a gateway with a token",
    .needs("prometheus", "python3"))
  func scraped() throws {
    try scratch.sh(
      "cp monitoring/alerts.yml container; umask 077; echo a-token-of-sixteen > container/token"
    ).expect("")
    let gateway = try scratch.start("serve", "--port", "0", "--token-file", "container/token")
    let address = gateway.errorLine()?.split(separator: "/").last ?? "none"
    try scratch.store("1", "2")
    try scratch.sh(
      "sed -i 's|/run/secrets|.|; s|serve:8000|\(address)|; s|30s|1s|' container/prometheus.yml"
    ).expect("")
    let servers = try MonitoringServers(scratch, configuration: "container/prometheus.yml")
    var values: [Double] = []
    try wait(until: {
      values = try servers.ask("ingested_rows_total")
      return !values.isEmpty
    })
    #expect(values == [2])
    try servers.stop()
    gateway.signal(SIGTERM)
    #expect(gateway.finish().ending == .exited(0))
  }
}

private enum Buildah {
  /// Everything stays in the working directory.
  static let command =
    "TMPDIR=$PWD buildah --storage-driver vfs --root $PWD/store --runroot $PWD/running"

  static let missing: String? =
    lacks("buildah")
    ?? ((try? Scratch().sh("\(command) from scratch").ending) == .exited(0)
      ? nil : "buildah may not make images here")
}

extension Trait where Self == Needs {
  /// Requires a buildah that may make images here.
  fileprivate static var needsBuildah: Needs { Needs { Buildah.missing } }
}

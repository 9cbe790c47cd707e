import Foundation
import TestSupport
import Testing

@Suite("examples/recipes", .needs("curl", "jq"))
struct RecipeTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("examples"), withDestinationPath: Repository.path + "/examples")
  }

  private func check(_ name: String, _ environment: [String: String] = [:]) throws {
    try Page(name: "examples/recipes/\(name).md")
      .check(in: scratch, ["no_proxy": "*"].merging(environment) { $1 })
  }

  @Test("the gateway recipe works as its page says")
  func gateway() throws { try check("gateway") }

  @Test("the commands of the measuring recipe print the figures of its page")
  func measured() throws { try check("measured") }

  @Test("the recipe for three items every five seconds works as its page says")
  func priorities() throws { try check("priorities") }

  @Test("the log recipe stores logs in PostgreSQL, and a query finds them", .needsPostgres)
  func logs() throws {
    let postgres = try PostgresServer(scratch)
    try check("logs", postgres.environment)
    withExtendedLifetime(postgres) {}
  }

  @Test(
    "the unified recipe validates, counts and routes rows to databases and S3", .needsPostgres,
    .needsModule("moto.server", of: "moto[server]"))
  func unified() throws {
    let postgres = try PostgresServer(scratch)
    let search = try BulkServer(scratch)
    let objects = try S3Server(scratch)
    let servers = [postgres.environment, search.environment, objects.environment]
    try check("unified", servers.reduce([:]) { $0.merging($1) { $1 } })
    withExtendedLifetime((postgres, search, objects)) {}
  }

  @Test("every recipe is run by a test")
  func complete() throws {
    let pages = try FileManager.default.contentsOfDirectory(
      atPath: Repository.path + "/examples/recipes"
    ).filter { $0.hasSuffix(".md") }
    #expect(
      pages.sorted() == ["gateway.md", "logs.md", "measured.md", "priorities.md", "unified.md"])
  }
}

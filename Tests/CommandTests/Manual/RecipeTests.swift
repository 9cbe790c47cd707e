import Foundation
import Testing

@Suite("examples/recipes", .needs("curl", "jq"))
struct RecipeTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path("examples"), withDestinationPath: Scratch.root + "/examples")
  }

  private func check(_ name: String, _ environment: [String: String] = [:]) throws {
    try Page(name: "examples/recipes/\(name).md")
      .check(in: scratch, ["no_proxy": "*"].merging(environment) { $1 })
  }

  @Test("a gateway and a consumer do as the page says")
  func gateway() throws { try check("gateway") }

  @Test("each figure of a pipeline is measured by the command that the page names")
  func measured() throws { try check("measured") }

  @Test("batches of three each five seconds go as the page says")
  func priorities() throws { try check("priorities") }

  @Test("logs go into PostgreSQL, and a query finds them", .needsPostgres)
  func logs() throws {
    let postgres = try PostgresServer(scratch)
    try check("logs", postgres.environment)
    withExtendedLifetime(postgres) {}
  }

  @Test(
    "rows are validated, counted and routed to databases and S3", .needsPostgres,
    .needsModule("moto.server", of: "moto[server]"))
  func unified() throws {
    let postgres = try PostgresServer(scratch)
    let search = try BulkServer(scratch)
    let objects = try S3Server(scratch)
    let servers = [postgres.environment, search.environment, objects.environment]
    try check("unified", servers.reduce([:]) { $0.merging($1) { $1 } })
    withExtendedLifetime((postgres, search, objects)) {}
  }

  @Test("are all of them run")
  func complete() throws {
    let pages = try FileManager.default.contentsOfDirectory(
      atPath: Scratch.root + "/examples/recipes"
    ).filter { $0.hasSuffix(".md") }
    #expect(
      pages.sorted() == ["gateway.md", "logs.md", "measured.md", "priorities.md", "unified.md"])
  }
}

// swift-tools-version: 6.1
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .unsafeFlags(["-warnings-as-errors"]),
]
// One thread and no reentrancy, or a lock around each clerk: the run-time checks of exclusive access cost
// 5 %, and debug builds, which the tests run, keep them.
let fast: [SwiftSetting] =
  strict + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

let package = Package(
  name: "pipe",
  dependencies: [
    // The command line: parsing, help and completion scripts. Seen by the `pipe` target alone.
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    // Percentiles of latencies in bounded memory, and their usual text. Seen by PipeStats, and by the
    // tests of what is stored.
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    // HTTP/1.1: sockets, parsing, back-pressure. Seen by PipeGateway alone.
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    // Levels and handlers of what the gateway logs. Seen by PipeServe and the `pipe` target.
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
  ],
  targets: [
    // Bottom-up. Each line says what the target may not know.
    // System calls that Swift cannot import and one checksum: header only, knows nothing.
    .target(name: "CPipeIO"),
    // Descriptors, directories, lines, errors, time, processes: knows no queue and no JSON.
    .target(name: "PipeIO", dependencies: ["CPipeIO"], swiftSettings: fast),
    // Strict scanning of one JSON line: knows no file and no queue.
    .target(name: "PipeJSON", swiftSettings: fast),
    // The engine, from segments to recovery: knows no JSON and no command line.
    .target(name: "PipeQueue", dependencies: ["CPipeIO", "PipeIO"], swiftSettings: fast),
    // Distributions, intervals, models and reports: pure values, knows no file and no queue.
    .target(
      name: "PipeStats", dependencies: [.product(name: "Histogram", package: "hdrhistogram-swift")],
      swiftSettings: strict),
    // HTTP connections, limits and answers: knows no queue, and is the only target that sees NIO.
    .target(
      name: "PipeGateway",
      dependencies: [
        "PipeIO", "PipeJSON",
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ], swiftSettings: strict),
    // Values of the engine as the lines and sentences that commands print: knows no command line.
    .target(
      name: "PipeRender", dependencies: ["PipeIO", "PipeJSON", "PipeQueue"], swiftSettings: fast),
    // A line from stdin or a body becomes an entry, and a commit its receipts: knows no consumer.
    .target(
      name: "PipeIntake", dependencies: ["PipeIO", "PipeJSON", "PipeQueue", "PipeRender"],
      swiftSettings: fast),
    // Batches become outcomes, by commands, readers and other queues: knows no HTTP.
    .target(
      name: "PipeWork",
      dependencies: ["PipeIO", "PipeJSON", "PipeQueue", "PipeRender", "PipeIntake"],
      swiftSettings: fast),
    // Reads a queue's counters and times into reports: knows no consumer and no HTTP.
    .target(
      name: "PipeMeasure",
      dependencies: ["PipeIO", "PipeJSON", "PipeQueue", "PipeStats", "PipeRender", "PipeIntake"],
      swiftSettings: fast),
    // The HTTP application: routes, handlers, access, events. Knows no socket and no command line.
    .target(
      name: "PipeServe",
      dependencies: [
        "PipeIO", "PipeJSON", "PipeQueue", "PipeStats", "PipeGateway", "PipeRender", "PipeIntake",
        "PipeMeasure", .product(name: "Logging", package: "swift-log"),
      ],
      // The gateway's pages are files that a browser can open, and a part of the program.
      resources: [
        .embedInCode("Pages/dashboard.html"), .embedInCode("Pages/docs.html"),
        .embedInCode("Pages/openapi.json"),
      ],
      swiftSettings: fast),
    // The commands and their options: the only target that sees the argument parser.
    .executableTarget(
      name: "pipe",
      dependencies: [
        "PipeIO", "PipeJSON", "PipeQueue", "PipeStats", "PipeGateway", "PipeRender", "PipeIntake",
        "PipeWork", "PipeMeasure", "PipeServe",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: fast),
    .testTarget(name: "PipeJSONTests", dependencies: ["PipeJSON"], swiftSettings: strict),
    .testTarget(
      name: "PipeQueueTests",
      dependencies: [
        "PipeQueue", "PipeIO", .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PipeStatsTests", dependencies: ["PipeStats"], exclude: ["Reference"],
      swiftSettings: strict),
    // These two drive the built binary and import nothing of it.
    .testTarget(name: "CommandTests", dependencies: ["pipe"], swiftSettings: strict),
    .testTarget(name: "CrashTests", dependencies: ["pipe"], swiftSettings: strict),
  ]
)

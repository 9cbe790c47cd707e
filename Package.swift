// swift-tools-version: 6.1
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .unsafeFlags(["-warnings-as-errors"]),
]
// Regular expressions, which the program does not use, would be a twelfth of it.
// The program finds types such as [LaneEnd] by address, not by name: names would cost a third of the
// instructions of an `enqueue` of one line.
let lean: [SwiftSetting] =
  strict + [
    .unsafeFlags([
      "-Xfrontend", "-disable-implicit-string-processing-module-import",
      "-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors",
    ])
  ]
// Run-time checks of exclusive access cost 5 %, so release builds omit them: code runs on one
// thread without reentrancy, or under a lock around each handler. Debug builds, which the tests
// run, keep them. Sections let the linker place each function.
let fast: [SwiftSetting] =
  lean + [
    .unsafeFlags(
      ["-enforce-exclusivity=unchecked", "-Xfrontend", "-function-sections"],
      .when(configuration: .release))
  ]

let package = Package(
  name: "pipe",
  traits: [
    // pipe-postgres, which `pipe` runs for the address of such a queue: libpq and its 25 libraries would
    // make each start of `pipe` 9 ms slower.
    .trait(name: "Postgres", description: "Queues in PostgreSQL; needs libpq.")
  ],
  dependencies: [
    // The reference for the classes and the encoding of latencies. Used only by tests.
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    // HTTP/1.1: sockets, parsing, back-pressure. Used only by PipeGateway.
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    // Levels and handlers for the gateway's log. Used by PipeServe and the `pipe` target.
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
  ],
  targets: [
    // Bottom-up. Each comment says what a target has and what it must not have.
    //
    // System calls that Swift cannot import, hooks before main, and a checksum: only C and libc.
    .target(name: "CPipeIO"),
    // Instants and spans, so that no clock is taken for another, and the classes of spans that a
    // histogram counts: no system calls.
    .target(name: "PipeTime", swiftSettings: fast),
    // Numbers and tables for people: pure text, no files.
    .target(name: "PipeText", swiftSettings: fast),
    // Descriptors, directories, lines, errors, clocks, processes: no queue layout and no JSON.
    .target(name: "PipeIO", dependencies: ["CPipeIO", "PipeTime"], swiftSettings: fast),
    // Strict scanning of one JSON line: no files and no queue.
    .target(name: "PipeJSON", dependencies: ["PipeTime"], swiftSettings: fast),
    // The engine, from segments to recovery: no option parsing, and no JSON except a line's
    // options.
    .target(
      name: "PipeQueue", dependencies: ["CPipeIO", "PipeTime", "PipeIO"], swiftSettings: fast),
    // The client library of PostgreSQL, from the system.
    .systemLibrary(name: "CLibPQ"),
    // The same engine in tables of PostgreSQL: no option parsing. Empty without the trait.
    .target(
      name: "PipePostgres",
      dependencies: [
        "PipeTime", "PipeIO", "PipeQueue",
        .target(name: "CLibPQ", condition: .when(traits: ["Postgres"])),
      ],
      resources: [.embedInCode("queue.sql")], swiftSettings: fast),
    // One queue, whichever engine keeps it: no storage of its own.
    .target(
      name: "PipeEngine", dependencies: ["PipeTime", "PipeIO", "PipeQueue", "PipePostgres"],
      swiftSettings: fast),
    // Distributions, intervals, models and reports: pure values, no files and no queue.
    .target(
      name: "PipeStats",
      dependencies: ["PipeTime", "PipeText", "PipeJSON"],
      swiftSettings: lean),
    // HTTP connections, limits and responses: no queue; the only target that imports NIO.
    .target(
      name: "PipeGateway",
      dependencies: [
        "PipeTime", "PipeIO", "PipeJSON",
        .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ], swiftSettings: lean),
    // Lines and sentences that commands print, from values of the engine: no option parsing.
    .target(
      name: "PipeRender",
      dependencies: ["PipeTime", "PipeText", "PipeIO", "PipeJSON", "PipeQueue"],
      swiftSettings: fast),
    // Turns lines from stdin or a request body into entries, and commits into receipts: no
    // consumers.
    .target(
      name: "PipeIntake",
      dependencies: ["PipeTime", "PipeText", "PipeIO", "PipeJSON", "PipeEngine", "PipeRender"],
      swiftSettings: fast),
    // Turns batches into outcomes, by commands, readers and other queues: no HTTP.
    .target(
      name: "PipeWork",
      dependencies: [
        "PipeTime", "PipeText", "PipeIO", "PipeJSON", "PipeEngine", "PipeRender", "PipeIntake",
      ],
      swiftSettings: fast),
    // Turns a queue's counters and times into reports: no consumers and no HTTP.
    .target(
      name: "PipeMeasure",
      dependencies: [
        "PipeTime", "PipeText", "PipeIO", "PipeJSON", "PipeEngine", "PipeStats", "PipeRender",
        "PipeIntake",
      ],
      swiftSettings: fast),
    // The HTTP application: routes, handlers, access, events. No sockets and no option parsing.
    .target(
      name: "PipeServe",
      dependencies: [
        "PipeTime", "PipeIO", "PipeJSON", "PipeEngine", "PipeStats", "PipeGateway", "PipeRender",
        "PipeIntake",
        "PipeMeasure", .product(name: "Logging", package: "swift-log"),
      ],
      // The gateway's pages: files that a browser can open, embedded in the binary.
      resources: [
        .embedInCode("Pages/dashboard.html"), .embedInCode("Pages/docs.html"),
        .embedInCode("Pages/openapi.json"),
      ],
      swiftSettings: fast),
    // Supervision of programs by the kernel: only C and libc.
    .target(name: "CPipeTorture"),
    // Runs of this program under faults and power cuts, and an oracle that judges them: no queue, only
    // its commands.
    .target(
      name: "PipeTorture",
      dependencies: ["CPipeIO", "CPipeTorture", "PipeTime", "PipeText", "PipeIO"],
      swiftSettings: fast),
    // Runs of this program beside what the disk allows without it: no queue, only its commands.
    .target(
      name: "PipeBench", dependencies: ["CPipeIO", "PipeTime", "PipeText", "PipeIO"],
      swiftSettings: fast),
    // The commands, their options and the parser of both: a parser that finds options by reflection
    // takes a millisecond, as long as the rest of a durable `enqueue` of one line.
    .executableTarget(
      name: "pipe",
      dependencies: [
        "PipeTime", "PipeIO", "PipeJSON", "PipeEngine", "PipeStats", "PipeGateway", "PipeRender",
        "PipeIntake",
        "PipeWork", "PipeMeasure", "PipeServe", "PipeTorture", "PipeBench",
        .product(name: "Logging", package: "swift-log"),
      ],
      exclude: ["order.txt"],
      swiftSettings: fast,
      // A fifth of the time of `enqueue --raw` with one line: its functions lie side by side, so that
      // the kernel maps fewer pages. Tests/costs --order writes the list. The default linker has no
      // such option.
      linkerSettings: [
        .unsafeFlags(
          [
            "-use-ld=lld", "-Xlinker", "--no-warn-symbol-ordering",
            "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/Sources/pipe/order.txt",
          ], .when(configuration: .release))
      ]),
    // The harness of the suites below. A test target, since Testing is missing where a static
    // executable is built.
    .testTarget(name: "TestSupport", path: "Tests/Support", swiftSettings: strict),
    .testTarget(
      name: "PipeIOTests", dependencies: ["CPipeIO", "PipeTime", "PipeIO"], swiftSettings: strict),
    .testTarget(
      name: "PipeJSONTests", dependencies: ["PipeTime", "PipeJSON", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "PipeQueueTests",
      dependencies: [
        "PipeQueue", "PipeIO", "PipeTime", "TestSupport",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PipeStatsTests",
      dependencies: [
        "PipeTime", "PipeText", "PipeStats",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      exclude: ["Reference"],
      swiftSettings: strict),
    .testTarget(
      name: "PipeGatewayTests",
      dependencies: [
        "PipeGateway", "PipeIO", "PipeTime",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),
    // Empty without the trait.
    .testTarget(
      name: "PipeEngineTests",
      dependencies: [
        "PipeEngine", "PipePostgres", "PipeQueue", "PipeWork", "PipeIO", "PipeTime", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "PipeIntakeTests", dependencies: ["PipeIntake", "PipeQueue", "PipeTime"],
      swiftSettings: strict),
    .testTarget(
      name: "PipeWorkTests", dependencies: ["PipeWork", "PipeIO"], swiftSettings: strict),
    // These two run the built binary and import nothing from it.
    .testTarget(
      name: "CommandTests", dependencies: ["pipe", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "CrashTests", dependencies: ["pipe", "TestSupport"], swiftSettings: strict),
  ]
)

// Tests/fuzz builds this one: libFuzzer brings its main function.
if Context.environment["PIPE_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "Fuzz",
      dependencies: [
        "CPipeIO", "PipeTime", "PipeIO", "PipeJSON", "PipeQueue", "PipeGateway", "PipeIntake",
        "PipeWork", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      path: "Tests/Fuzzing", exclude: ["seeds"],
      swiftSettings: strict))
}

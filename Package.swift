// swift-tools-version: 6.2
import PackageDescription

// The rooms and arrows of docs/architecture.md; Tests/TidyTests holds them to it.
//
// VARVE_WITHOUT_HTTP=1 leaves out the rooms that need HTTP packages (Gateway, S3Network, varve), so that the rooms below
// build and test in a minute; see docs/decisions/0003-http-rooms-apart.md.

/// Only for `scripts/fuzz`, which sets the variable: what lets libFuzzer see which code an input reached, and try many.
let seen: [SwiftSetting] =
    Context.environment["FUZZ_RUNTIME"] == nil
    ? []
    : [.unsafeFlags(["-O", "-sanitize=fuzzer", "-sanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table"])]
let house: [SwiftSetting] =
    [
        .strictMemorySafety(), .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + seen
/// Rooms on the data path: optimised even in debug builds, because byte loops are 13 to 27 times slower without.
let hot = house + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let withoutHTTP = Context.environment["VARVE_WITHOUT_HTTP"] == "1"

let packages: [Package.Dependency] = [
    .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0", traits: []),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.80.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
    .package(url: "https://github.com/apple/swift-http-types.git", from: "1.4.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
]

let httpRooms: [Target] = [
    .target(
        name: "Gateway",
        dependencies: [
            "Blocks", "ControlPlane", "Console", "EC2Dialect", "ECSDialect", "KingsoftDialect", "RequestSigning",
            .product(name: "Hummingbird", package: "hummingbird"),
            .product(name: "HummingbirdCore", package: "hummingbird"),
            .product(name: "HTTPTypes", package: "swift-http-types"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "Logging", package: "swift-log"),
            .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        ],
        swiftSettings: house),
    .target(
        name: "S3Network",
        dependencies: [
            "Blocks", "S3", "RequestSigning",
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOPosix", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ],
        swiftSettings: house),
    .executableTarget(
        name: "varve",
        dependencies: [
            "Blocks", "ObjectStore", "S3", "S3Network", "NBD", "TLS", "ControlPlane", "Console", "Gateway",
            "RequestSigning", "Terminal",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "NIOCore", package: "swift-nio"),
            .product(name: "NIOHTTP1", package: "swift-nio"),
            .product(name: "Logging", package: "swift-log"),
        ],
        swiftSettings: house),
]

/// The fuzz targets see the inside of rooms (`@testable`), which a release build does not show: left out of those.
let fuzzing: [Target] = [
    .target(
        name: "FuzzTargets",
        dependencies: [
            "Blocks", "ObjectStore", "S3", "Repository", "VolumeEngine", "NBD", "TLS", "RequestSigning", "ControlPlane",
            "Console", "EC2Dialect", "ECSDialect", "KingsoftDialect", "Terminal", "Simulation", "CTLS",
        ],
        swiftSettings: house),
    .testTarget(name: "FuzzTests", dependencies: ["Blocks", "FuzzTargets"], swiftSettings: house),
]

let package = Package(
    name: "varve",
    products: [
        .library(name: "Blocks", targets: ["Blocks"]),
        .library(name: "ObjectStore", targets: ["ObjectStore"]),
        .library(name: "Repository", targets: ["Repository"]),
        .library(name: "VolumeEngine", targets: ["VolumeEngine"]),
        .library(name: "NBD", targets: ["NBD"]),
    ] + (withoutHTTP ? [.library(name: "FuzzTargets", targets: ["FuzzTargets"])] : []),
    dependencies: withoutHTTP ? [] : packages,
    targets: [
        // C, ground floor
        .target(name: "CLinux"),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CTLS", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

        // Rooms
        .target(name: "Blocks", dependencies: ["CLinux"], swiftSettings: hot),
        .target(name: "ObjectStore", dependencies: ["Blocks"], swiftSettings: hot),
        .target(
            name: "Repository", dependencies: ["Blocks", "ObjectStore", "CZstd", "CCrypto"], swiftSettings: hot),
        .target(name: "VolumeEngine", dependencies: ["Blocks"], swiftSettings: hot),
        .target(name: "NBD", dependencies: ["Blocks"], swiftSettings: hot),
        .target(name: "TLS", dependencies: ["Blocks", "CTLS"], swiftSettings: hot),
        .target(name: "Catalog", dependencies: ["Blocks", "CSQLite"], swiftSettings: house),
        .target(
            name: "ControlPlane", dependencies: ["Blocks", "Catalog", "VolumeEngine", "Repository", "ObjectStore"],
            swiftSettings: house),
        .target(name: "RequestSigning", dependencies: ["Blocks", "CCrypto"], swiftSettings: house),
        .target(name: "S3", dependencies: ["Blocks", "ObjectStore", "RequestSigning"], swiftSettings: house),
        .target(name: "Console", dependencies: ["Blocks", "ControlPlane", "RequestSigning"], swiftSettings: house),
        .target(
            name: "EC2Dialect", dependencies: ["Blocks", "ControlPlane", "RequestSigning"], swiftSettings: house),
        .target(
            name: "KingsoftDialect", dependencies: ["Blocks", "ControlPlane", "RequestSigning"], swiftSettings: house),
        .target(
            name: "ECSDialect", dependencies: ["Blocks", "ControlPlane", "RequestSigning"], swiftSettings: house),
        .target(name: "Terminal", swiftSettings: house),

        // Beside the product
        .executableTarget(name: "NBDFile", dependencies: ["Blocks", "NBD"], swiftSettings: house),
        .target(name: "TestSupport", dependencies: ["Blocks", "ObjectStore"], swiftSettings: hot),
        .target(name: "Simulation", dependencies: ["Blocks", "ObjectStore"], swiftSettings: hot),

        .target(
            name: "Histories", dependencies: ["Blocks", "ObjectStore", "Repository", "VolumeEngine", "Simulation"],
            swiftSettings: hot),
        .executableTarget(name: "Simulate", dependencies: ["Blocks", "Histories"], swiftSettings: house),

        .testTarget(name: "BlocksTests", dependencies: ["Blocks", "Simulation", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "ObjectStoreTests", dependencies: ["ObjectStore", "Simulation", "TestSupport"], swiftSettings: house),
        .testTarget(
            name: "RepositoryTests", dependencies: ["Repository", "ObjectStore", "TestSupport"], swiftSettings: hot),
        .testTarget(
            name: "VolumeEngineTests", dependencies: ["VolumeEngine", "Simulation", "TestSupport"],
            swiftSettings: hot),
        .testTarget(name: "HistoryTests", dependencies: ["Histories"], swiftSettings: house),
        .testTarget(name: "NBDTests", dependencies: ["NBD", "TLS", "CTLS", "TestSupport"], swiftSettings: hot),
        .testTarget(name: "CatalogTests", dependencies: ["Blocks", "Catalog"], swiftSettings: house),
        .testTarget(
            name: "ControlPlaneTests",
            dependencies: [
                "Blocks", "Catalog", "ControlPlane", "ObjectStore", "Repository", "Simulation", "TestSupport",
                "VolumeEngine",
            ],
            swiftSettings: house),
        .testTarget(name: "RequestSigningTests", dependencies: ["RequestSigning", "Blocks"], swiftSettings: house),
        .testTarget(
            name: "S3Tests",
            dependencies: ["S3", "ObjectStore", "RequestSigning", "Blocks", "Simulation", "TestSupport"],
            swiftSettings: house),
        .testTarget(
            name: "ConsoleTests", dependencies: ["Console", "ControlPlane", "Blocks", "Simulation", "TestSupport"],
            swiftSettings: house),
        .testTarget(
            name: "EC2DialectTests", dependencies: ["EC2Dialect", "ControlPlane", "Blocks", "TestSupport"],
            swiftSettings: house),
        .testTarget(
            name: "KingsoftDialectTests",
            dependencies: [
                "KingsoftDialect", "EC2Dialect", "ControlPlane", "RequestSigning", "Blocks", "Simulation",
                "TestSupport",
            ],
            swiftSettings: house),
        .testTarget(
            name: "ECSDialectTests",
            dependencies: [
                "ECSDialect", "EC2Dialect", "ControlPlane", "Catalog", "RequestSigning", "Blocks", "Simulation",
                "TestSupport",
            ],
            swiftSettings: house),
        .testTarget(name: "TerminalTests", dependencies: ["Terminal"], swiftSettings: house),
        .testTarget(name: "TidyTests", swiftSettings: house),
    ] + (withoutHTTP ? fuzzing : httpRooms)
)

/// What `scripts/sanitize` builds: the rooms through which the bytes of guests and stores pass, and their tests.
let dataPath: Set = ["Blocks", "ObjectStore", "Repository", "VolumeEngine", "NBD", "TLS", "RequestSigning", "S3"]
if Context.environment["VARVE_DATA_PATH"] == "1" {
    let kept = dataPath.union(dataPath.map { $0 + "Tests" })
        .union(["CLinux", "CZstd", "CCrypto", "CTLS", "TestSupport", "Simulation"])
    package.targets.removeAll { !kept.contains($0.name) }
    package.products = []
}

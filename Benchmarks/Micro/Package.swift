// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that what measures never ships. Built without the HTTP rooms: VARVE_WITHOUT_HTTP=1.
let package = Package(
    name: "varve-micro",
    dependencies: [.package(name: "varve", path: "../..")],
    targets: [
        .executableTarget(
            name: "stall-bench",
            dependencies: [
                .product(name: "Blocks", package: "varve"), .product(name: "VolumeEngine", package: "varve"),
            ], path: "Sources/StallBench")
    ]
)

// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that libFuzzer never comes near the product. Built by scripts/fuzz, which says in
// FUZZ_RUNTIME where the toolchain keeps libFuzzer without its own `main`. Needs VARVE_WITHOUT_HTTP=1.
let package = Package(
    name: "varve-fuzz",
    dependencies: [.package(name: "varve", path: "..")],
    targets: [
        .target(name: "CFuzzDriver"),
        .executableTarget(
            name: "varve-fuzz",
            dependencies: ["CFuzzDriver", .product(name: "FuzzTargets", package: "varve")],
            path: "Sources/VarveFuzz",
            linkerSettings: [
                .unsafeFlags(["-Xlinker", Context.environment["FUZZ_RUNTIME"] ?? ""]), .linkedLibrary("stdc++"),
                .linkedLibrary("m"),
            ]),
    ]
)

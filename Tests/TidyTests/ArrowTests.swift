import Foundation
import Testing

/// The rooms import what docs/architecture.md allows them and nothing else.
@Suite struct ArrowTests {
    /// Part of the standard library's distribution; free for every room.
    static let free: Set<String> = ["Swift", "Synchronization", "_Concurrency", "Builtin"]

    @Test("the table of rooms names exactly the folders under Sources that hold Swift or C")
    func tableIsComplete() throws {
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: House.root.appendingPathComponent("Sources").path)
        let moduleMaps: Set<String> = ["CZstd", "CCrypto", "CSQLite", "CLZ4", "CTLS", "CPostgres"]
        #expect(Set(folders).subtracting(moduleMaps) == Set(Room.all.map(\.name)))
        #expect(Room.all.count > 5, "the table could not be read")
    }

    @Test("a room imports only the rooms below it", arguments: Room.all)
    func arrows(of room: Room) {
        let allowed = room.mayImport.union(room.fromOutside).union(Self.free)
        for file in room.files {
            for (module, line) in file.imports where !allowed.contains(module) {
                Issue.record("\(file.path):\(line) imports \(module); see docs/architecture.md")
            }
        }
    }

    @Test("Package.swift lets a target depend only on the rooms of its row", arguments: Room.all)
    func manifest(of room: Room) {
        let names = Set(Room.all.map(\.name)).subtracting(["varve"]).union(["CZstd", "CCrypto", "CSQLite", "CTLS"])
        let strays = manifestDependencies(of: room.name).intersection(names)
            .subtracting(room.mayImport).subtracting(room.fromOutside)
        #expect(strays.isEmpty, "Package.swift lets \(room.name) depend on \(strays.sorted())")
    }

    @Test("the arrows form no circle")
    func noCircle() {
        var remaining = Dictionary(uniqueKeysWithValues: Room.all.map { ($0.name, $0.mayImport) })
        while let leaf = remaining.first(where: { $0.value.isDisjoint(with: remaining.keys) }) {
            remaining[leaf.key] = nil
        }
        #expect(remaining.isEmpty, "a circle among \(remaining.keys.sorted())")
    }

    /// The quoted names inside the target's `dependencies: [...]`.
    private func manifestDependencies(of target: String) -> Set<String> {
        let manifest = House.text("Package.swift")
        guard let start = manifest.range(of: "arget\\(\\s*name: \"\(target)\"", options: .regularExpression) else {
            return []
        }
        let rest = manifest[start.upperBound...]
        let end = rest.firstMatch(of: /\.(?:executableT|testT|t)arget\(|\.systemLibrary\(/)?.range.lowerBound
        return Set(rest[..<(end ?? rest.endIndex)].matches(of: /"([A-Za-z0-9]+)"/).map { String($0.1) })
    }
}

import Foundation
import FuzzTargets
import Testing

/// What the fuzzer found once, and what it starts from, holds in every run of the tests.
@Suite struct ReplayTests {
    private static let folder: URL = {
        var folder = URL(fileURLWithPath: #filePath)
        while folder.path != "/", folder.lastPathComponent != "Tests" { folder.deleteLastPathComponent() }
        return folder.deletingLastPathComponent().appendingPathComponent("Fuzz")
    }()

    private static func findings(of target: FuzzTarget) throws -> [URL] {
        let folder = folder.appendingPathComponent("findings").appendingPathComponent(target.name)
        guard FileManager.default.fileExists(atPath: folder.path) else { return [] }
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
    }

    @Test("made seeds hold", arguments: FuzzTarget.all)
    func seeds(of target: FuzzTarget) throws {
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty)
        for (number, seed) in seeds.enumerated() {
            #expect(throws: Never.self, "seed \(number)") { try target.run(seed) }
        }
    }

    @Test("past findings stay mended", arguments: FuzzTarget.all)
    func findings(of target: FuzzTarget) throws {
        for file in try Self.findings(of: target) {
            let bytes = [UInt8](try Data(contentsOf: file))
            #expect(throws: Never.self, "\(file.lastPathComponent)") { try target.run(bytes) }
        }
    }

    @Test("the corpus holds", arguments: FuzzTarget.all)
    func corpus(of target: FuzzTarget) throws {
        let file = Self.folder.appendingPathComponent("corpus/\(target.name).txt")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(!lines.isEmpty)
        for (number, line) in lines.enumerated() {
            let input = try FuzzTarget.input(hexadecimal: line)
            #expect(input.count <= target.bytesMax)
            #expect(throws: Never.self, "line \(number + 1)") { try target.run(input) }
        }
    }

    @Test("every corpus and finding belongs to a target")
    func names() throws {
        for part in ["corpus", "findings"] {
            let path = Self.folder.appendingPathComponent(part).path
            let names = try FileManager.default.contentsOfDirectory(atPath: path).map { $0.split(separator: ".")[0] }
            #expect(Set(names).isSubset(of: Set(FuzzTarget.all.map { $0.name[...] })))
        }
    }
}

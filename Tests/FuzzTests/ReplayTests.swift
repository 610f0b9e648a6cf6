import Blocks
import Foundation
import FuzzTargets
import Testing

/// What the fuzzer found once, and what it starts from, holds in every run of the tests.
///
/// One after another, as the fuzzer does it: targets keep a house or a store from one input to the next.
@Suite(.serialized) struct ReplayTests {
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
    func seeds(of target: FuzzTarget) async throws {
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty)
        await hold(target, seeds.enumerated().map { ("seed \($0.offset)", $0.element) })
    }

    @Test("past findings stay mended", arguments: FuzzTarget.all)
    func findings(of target: FuzzTarget) async throws {
        await hold(
            target,
            try Self.findings(of: target).map { ($0.lastPathComponent, [UInt8](try Data(contentsOf: $0))) })
    }

    @Test("the corpus holds", arguments: FuzzTarget.all)
    func corpus(of target: FuzzTarget) async throws {
        let file = Self.folder.appendingPathComponent("corpus/\(target.name).txt")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(!lines.isEmpty)
        let inputs = try lines.map { try FuzzTarget.input(hexadecimal: $0) }
        #expect(inputs.allSatisfy { $0.count <= target.bytesMax })
        await hold(target, inputs.enumerated().map { ("line \($0.offset + 1)", $0.element) })
    }

    /// Runs the inputs on a thread of their own: a target may wait for tasks, which need the few threads that tests run on.
    private func hold(_ target: FuzzTarget, _ inputs: [(name: String, bytes: [UInt8])]) async {
        let problems = await withCheckedContinuation { done in
            _ = OSThread(name: "target") {
                done.resume(
                    returning: inputs.compactMap { input in
                        do { try target.run(input.bytes) } catch { return "\(input.name): \(error)" }
                        return nil
                    })
            }
        }
        #expect(problems == [])
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

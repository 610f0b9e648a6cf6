import Blocks
import ObjectStore
import Simulation
import TestSupport
import Testing

/// A directory store on a disk that loses power, is full or does not take writes.
@Suite struct DirectoryStoreOutageTests {
    private enum Step { case put(String, [UInt8]), putIfAbsent(String, [UInt8]), delete(String) }

    private static let steps: [Step] = [
        .put("a", bytes(5000, 1)), .put("dir/b", bytes(70_000, 2)), .putIfAbsent("dir/sub/c", bytes(3000, 3)),
        .put("a", bytes(9000, 4)), .putIfAbsent("dir/b", bytes(10, 5)), .delete("dir/b"), .put("dir/b", bytes(1, 6)),
        .delete("a"), .putIfAbsent("a", bytes(4096, 7)),
    ]

    private static func bytes(_ count: Int, _ seed: UInt8) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) &+ seed }
    }

    private func run(_ step: Step, _ store: any ObjectStore) throws {
        switch step {
        case .put(let key, let bytes):
            try bytes.readBytes { (span) throws(StoreFailure) in try store.put(span, at: key) }
        case .putIfAbsent(let key, let bytes):
            _ = try bytes.readBytes { (span) throws(StoreFailure) in try store.putIfAbsent(span, at: key) }
        case .delete(let key): try store.delete([key])
        }
    }

    /// What a step makes of the objects.
    private func apply(_ step: Step, _ objects: inout [String: [UInt8]]) {
        switch step {
        case .put(let key, let bytes): objects[key] = bytes
        case .putIfAbsent(let key, let bytes): objects[key] = objects[key] ?? bytes
        case .delete(let key): objects[key] = nil
        }
    }

    @Test(
        "what a put acknowledged survives power loss, and what it did not is there whole or not at all",
        arguments: DiskVerdict.Moment.allCases, [UInt64](1...UInt64(Seed.share(of: 12))))
    func powerLoss(_ moment: DiskVerdict.Moment, _ seed: UInt64) throws {
        var change = 1
        while true {
            let disk = SimulatedDisk(seed: seed)
            try disk.mount().makeDirectory("/data")
            try disk.mount().syncDirectory("/")
            let last = disk.changeCount + change
            disk.onOperation { operation in
                operation.change == last ? .outage(.powerLoss(seed: seed &* 977 &+ UInt64(last)), moment) : .proceed
            }
            var before: [String: [UInt8]] = [:]
            var after = before
            var isDone = true
            if let store = try? DirectoryStore(at: "/data", on: disk.mount()) {
                for step in Self.steps {
                    apply(step, &after)
                    do { try run(step, store) } catch {
                        isDone = false
                        break
                    }
                    before = after
                }
            }
            disk.onOperation(nil)
            let again = try DirectoryStore(at: "/data", on: disk.mount())
            for key in ["a", "dir/b", "dir/sub/c"] {
                let found = try? again.get(key, range: nil)
                #expect(found == before[key] || found == after[key], "change \(change), \(key)")
            }
            if isDone { break }
            change += 1
        }
        #expect(change > 30)
    }

    @Test("a full disk is said so, loses nothing, and is usable again once there is room")
    func full() throws {
        let disk = SimulatedDisk(capacity: ByteCount(64 << 10))
        let store = try DirectoryStore(at: "/data", on: disk.mount())
        try run(.put("small", Self.bytes(4000, 1)), store)
        let failure = #expect(throws: StoreFailure.self) { try run(.put("large", Self.bytes(200_000, 2)), store) }
        let text = "\(failure, default: "")"
        #expect(text.contains("full") || text.contains("space"))
        #expect(try store.get("small", range: nil) == Self.bytes(4000, 1))
        #expect(try store.size(of: "large") == nil)
        try run(.put("other", Self.bytes(20_000, 3)), store)
        #expect(try store.get("other", range: nil) == Self.bytes(20_000, 3))
    }

    @Test("a read-only disk is said so")
    func readOnly() throws {
        let disk = SimulatedDisk()
        let store = try DirectoryStore(at: "/data", on: disk.mount())
        try run(.put("a", Self.bytes(10, 1)), store)
        disk.onOperation { $0.kind.isChange && $0.kind != .open ? .fail(.readOnly) : .proceed }
        let failure = #expect(throws: StoreFailure.self) { try run(.put("b", Self.bytes(10, 1)), store) }
        #expect("\(failure, default: "")".contains("read-only"))
        #expect(try store.get("a", range: nil) == Self.bytes(10, 1))
    }

    @Test("a sync that fails is a put that failed")
    func failedSync() throws {
        let disk = SimulatedDisk()
        let store = try DirectoryStore(at: "/data", on: disk.mount())
        try run(.put("a", Self.bytes(10, 1)), store)
        disk.onOperation { $0.kind == .sync ? .fail(.io(errno: 5)) : .proceed }
        #expect(throws: StoreFailure.self) { try run(.put("a", Self.bytes(10, 2)), store) }
        disk.onOperation(nil)
        #expect(try store.get("a", range: nil) == Self.bytes(10, 1))
    }

    @Test("on a simulated disk every law holds too", arguments: ObjectStoreLaw.allCases)
    func laws(_ law: ObjectStoreLaw) throws {
        try law.check(DirectoryStore(at: "/data/store", on: SimulatedDisk().mount()))
    }
}

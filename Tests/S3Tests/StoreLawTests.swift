import Blocks
import ObjectStore
import Testing
import TestSupport

@testable import S3

@Suite struct StoreLawTests {
    @Test("an S3 store keeps every law", arguments: ObjectStoreLaw.allCases, ["path", "host"])
    func plain(_ law: ObjectStoreLaw, style: String) throws {
        try law.check(Shop.store(FakeServer(), style: style))
    }

    @Test("an S3 store without a prefix keeps every law", arguments: ObjectStoreLaw.allCases)
    func bare(_ law: ObjectStoreLaw) throws { try law.check(Shop.store(FakeServer(), prefix: "")) }

    static let faults: [FakeServer.Fault] = [
        .refuse(503, "SlowDown"), .refuse(500, "InternalError"), .refuse(429, "TooManyRequests"), .refuseConnection,
        .loseAnswer, .truncate,
    ]

    @Test("retries keep every law when three of ten requests go wrong", arguments: ObjectStoreLaw.allCases, faults)
    func faulty(_ law: ObjectStoreLaw, _ fault: FakeServer.Fault) throws {
        let clock = StillClock()
        let server = FakeServer(clock: clock) { number, _ in Self.isUnlucky(number) ? fault : nil }
        let patience = RetryingStore.Patience(attempts: 24, jitter: 1)
        try law.check(RetryingStore(Shop.store(server), patience: patience, clock: clock))
    }

    /// Three of ten, without a period that several requests of one call could fall in step with.
    private static func isUnlucky(_ number: Int) -> Bool { (UInt64(number) &* 0x9e37_79b9_7f4a_7c15) >> 40 % 10 < 3 }

    @Test("a check of a good store finds nothing wrong and leaves nothing behind")
    func check() throws {
        let server = FakeServer()
        var problems: [String] = []
        let isGood = try StoreCheck(Shop.store(server)).run(StoreCheck.Ability.allCases.filter { $0 != .parts }) {
            if let problem = $0.problem { problems.append(problem) }
        }
        #expect(isGood && problems == [])
        #expect(server.keys == [])
    }

    @Test("a check finds a store that ignores conditions")
    func checkFindsIgnoredCondition() throws {
        let store = Unconditional(try Shop.store(FakeServer()))
        var failed: [StoreCheck.Ability] = []
        let isGood = StoreCheck(store).run([.write, .condition, .race]) {
            if $0.problem != nil { failed.append($0.ability) }
        }
        #expect(!isGood && failed == [.condition, .race])
    }
}

/// A store that replaces objects whatever it is asked.
private final class Unconditional: ObjectStore {
    private let store: S3Store
    init(_ store: S3Store) { self.store = store }
    func put(_ bytes: RawSpan, at key: String) throws(StoreFailure) { try store.put(bytes, at: key) }
    func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool {
        try store.put(bytes, at: key)
        return true
    }
    func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8] { try store.get(key, range: range) }
    func size(of key: String) throws(StoreFailure) -> ByteCount? { try store.size(of: key) }
    func list(prefix: String, startAfter: String?, limit: Int) throws(StoreFailure) -> [ObjectEntry] {
        try store.list(prefix: prefix, startAfter: startAfter, limit: limit)
    }
    func delete(_ keys: [String]) throws(StoreFailure) { try store.delete(keys) }
}

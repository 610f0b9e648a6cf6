import Blocks
import ControlPlane
import ObjectStore
import Testing

/// A store in memory that does what a test tells it to, call by call.
final class TrickStore: StoreOpener {
    typealias Trick = @Sendable (FaultyStore.Call) -> FaultyStore.Fault?
    static let location = "test://store"

    let memory = MemoryStore()
    private let current = Guarded<Trick?>(nil)

    func play(_ trick: Trick?) { current.withLock { $0 = trick } }

    func store(at location: String) throws -> any ObjectStore {
        FaultyStore(memory) { [self] call in current.withLock { $0 }?(call) }
    }

    func keys(_ prefix: String) throws -> [String] {
        try memory.list(prefix: prefix, startAfter: nil, limit: .max).map(\.key)
    }
    func put(_ bytes: [UInt8], at key: String) throws {
        try bytes.readBytes { (span) throws(StoreFailure) in try memory.put(span, at: key) }
    }
    /// Changes one byte of the first frame of a snapshot's first pack; doing it twice mends it.
    func flipFirstFrame(of snapshot: String) throws {
        let key = try #require(try keys("packs/\(snapshot)/").first)
        var bytes = try memory.get(key, range: nil)
        bytes[16] ^= 0x40
        try put(bytes, at: key)
    }
    /// What no record is.
    func spoil(_ key: String) throws { try put(Array("{}".utf8), at: key) }

    /// A house on this store, not read again by itself.
    func house(_ change: @escaping @Sendable (inout HousePlan) -> Void = { _ in }) async throws -> HouseFixture {
        try await HouseFixture { [self] plan in
            plan.store = Self.location
            plan.opener = self
            plan.scrubEvery = nil
            change(&plan)
        }
    }
}

extension HouseFixture {
    /// Until no task has anything left to do.
    func quiet() async throws {
        try await eventually("every task ends") {
            try await house.tasks.list().allSatisfy { $0.state != .running && $0.state != .waiting }
        }
    }

    /// Until no cut of the volume is left to settle.
    func settled(_ volume: String) async throws {
        try await eventually("it is settled") { try await volumes.show(volume).pendingSnapshotIds.isEmpty }
    }
}

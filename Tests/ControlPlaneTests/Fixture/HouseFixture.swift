import Blocks
import ControlPlane
import TestSupport
import Testing

/// A house in a directory of its own, which can be closed and opened again.
final class HouseFixture: Sendable {
    let scratch: ScratchDirectory?
    let board = MemoryBoard()
    private let current: Guarded<House>
    private let change: @Sendable (inout HousePlan) -> Void

    var house: House { current.withLock { $0 } }
    var volumes: VolumeService { house.volumes }
    var snapshots: SnapshotService { house.snapshots }
    let data: String

    /// A house in a directory that someone else made and will remove, with a key file beside it.
    convenience init(
        at data: String, _ change: @escaping @Sendable (inout HousePlan) -> Void = { _ in }
    ) async throws {
        try await self.init(holding: nil, at: data, change)
    }

    /// The same in `scratch`, which goes with the fixture.
    init(
        holding scratch: ScratchDirectory?, at data: String,
        _ change: @escaping @Sendable (inout HousePlan) -> Void = { _ in }
    ) async throws {
        self.scratch = scratch
        self.data = data
        let key = data + ".key"
        if try LocalDisk().facts(key) == nil { _ = try KeyFiles.make(at: key) }
        let changeMore: @Sendable (inout HousePlan) -> Void = { plan in
            plan.keyFiles = [key]
            change(&plan)
        }
        self.change = changeMore
        var plan = HousePlan(data: data)
        changeMore(&plan)
        current = Guarded(try await House.open(plan, exports: board))
    }

    init(_ change: @escaping @Sendable (inout HousePlan) -> Void = { _ in }) async throws {
        let scratch = try ScratchDirectory("varve-house")
        self.scratch = scratch
        data = scratch.path + "/data"
        self.change = change
        var plan = HousePlan(data: scratch.path + "/data")
        change(&plan)
        current = Guarded(try await House.open(plan, exports: board))
    }

    /// Stops in order and starts again, with something else in the plan if so asked.
    func reopen(_ changeMore: (inout HousePlan) -> Void = { _ in }) async throws {
        await house.close()
        var plan = HousePlan(data: data)
        change(&plan)
        changeMore(&plan)
        let opened = try await House.open(plan, exports: board)
        current.withLock { $0 = opened }
    }

    /// A new empty volume, attached.
    func volume(
        _ size: ByteCount = .mebibytes(1), name: String? = nil, encryption: VolumeEncryption? = nil
    ) async throws -> String {
        let made = try await volumes.create(CreateVolume(size: size, name: name, encryption: encryption))
        _ = try await volumes.attach(made.id)
        return made.id
    }

    /// The device that clients of an attached volume or exported snapshot reach.
    func device(_ id: String) throws -> any BlockDevice { try #require(board.device(id)) }

    /// Writes blocks full of one byte.
    func write(_ id: String, _ blocks: Range<Int>, _ byte: UInt8) async throws {
        let device = try device(id)
        try await onThread {
            let range = ByteRange(at: BlockIndex(blocks.lowerBound).offset, count: BlockCount(blocks.count).size)
            try [UInt8](repeating: byte, count: range.count.bytes).readBytes { (bytes) throws(BlockFailure) in
                try device.write(range, from: bytes, durably: false)
            }
        }
    }

    /// The first byte of each block; fails if a block is not all alike.
    func look(_ id: String) async throws -> [UInt8] {
        let device = try device(id)
        let all = try await onThread { try Self.readAll(device) }
        return stride(from: 0, to: all.count, by: Block.size.bytes).map { start in
            let block = Array(all[start..<min(start + Block.size.bytes, all.count)])
            let first = block.first ?? 0
            #expect(block == [UInt8](repeating: first, count: block.count), "block \(start / 4096) is torn")
            return first
        }
    }

    /// What a snapshot holds, seen through its own export.
    func look(snapshot id: String) async throws -> [UInt8] {
        _ = try await snapshots.attach(id)
        let content = try await look(id)
        _ = try await snapshots.detach(id)
        return content
    }

    /// What a snapshot holds, seen through a volume restored from it.
    func restore(_ id: String) async throws -> [UInt8] {
        let made = try await volumes.create(CreateVolume(size: nil, origin: .snapshot(id)))
        _ = try await volumes.attach(made.id)
        let content = try await look(made.id)
        _ = try await volumes.detach(made.id)
        try await volumes.delete(made.id)
        return content
    }

    static func readAll(_ device: any BlockDevice) throws(BlockFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: device.size.bytes)
        let size = device.size
        try bytes.writeBytes { (all) throws(BlockFailure) in try device.read(ByteRange(at: 0, count: size), into: &all)
        }
        return bytes
    }

    /// Another account, and the verbs of one who runs it.
    func otherAccount() async throws -> (id: String, verbs: Verbs) {
        let account = try await house.accounts.create(named: "builders")
        return (account.id, house.verbs(for: Caller(account: account.id, principal: "bob", role: .administrator)))
    }

    /// Takes a snapshot.
    func snapshot(_ volume: String, wait: Bool = true) async throws -> String {
        let made = try await snapshots.create(CreateSnapshot(volume: volume))
        if wait { _ = try await snapshots.wait(for: made.id) }
        return made.id
    }

    /// Waits until `condition` holds, at most two minutes, which only a stuck house takes.
    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        for _ in 0..<12_000 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("\(what): not within two minutes")
    }

    /// Hides the store, as an unmounted share would.
    func hideStore() throws { try LocalDisk().rename(data + "/store", to: data + "/store-away") }
    func showStore() throws { try LocalDisk().rename(data + "/store-away", to: data + "/store") }
}

/// Runs what blocks on a thread of its own.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        _ = OSThread(name: "test") { continuation.resume(with: Result { try body() }) }
    }
}

/// Runs `body`, which must be refused, and answers the refusal's code.
func refusal(_ body: () async throws -> some Any) async -> ServiceError.Code? {
    do {
        _ = try await body()
        return nil
    } catch let error as ServiceError {
        return error.code
    } catch {
        Issue.record("no service error: \(error)")
        return nil
    }
}

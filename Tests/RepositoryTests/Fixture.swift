import Blocks
import ObjectStore
import Repository
import Testing

/// A repository in memory and the snapshots taken into it.
final class Fixture {
    let store: any ObjectStore
    let clock = TestClock()
    let repository: Repository
    /// What snapshots are encrypted with, if they are.
    let dataKey: DataKeyID?
    /// How another process with the same keys opens the store.
    let options: RepositoryOptions

    init(_ store: (any ObjectStore)? = nil, isEncrypted: Bool = false, keyring given: Keyring? = nil) throws {
        self.store = store ?? MemoryStore(clock: clock)
        let keyring = given ?? Keyring()
        if isEncrypted, given == nil {
            var key = Fixture.wrappingKey
            keyring.add(key: &key)
        }
        options = RepositoryOptions(frameCache: .mebibytes(4), clock: clock, keyring: keyring)
        repository = try Repository.openOrCreate(self.store, options: options)
        dataKey = isEncrypted ? try repository.makeDataKey().id : nil
    }

    static let wrappingKey = [UInt8](1...32)

    static func id(_ number: Int) -> SnapshotID {
        let digits = String(number, radix: 16)
        guard let id = SnapshotID("snap-" + String(repeating: "0", count: 17 - digits.count) + digits) else {
            preconditionFailure("a name by construction")
        }
        return id
    }

    func plan(_ number: Int, parent: Int?) -> SnapshotPlan {
        SnapshotPlan(
            id: Fixture.id(number), volume: "vol-1", parent: parent.map(Fixture.id), created: clock.now(),
            name: "n\(number)", dataKey: dataKey)
    }

    /// Uploads `image` as snapshot `number`; `changed` nil marks every block.
    @discardableResult
    func take(
        _ number: Int, _ image: TestImage, parent: Int? = nil, changed: Set<Int>? = nil,
        options: UploadOptions = UploadOptions(workers: 2)
    ) throws -> Manifest {
        let content = TestContent(image, changed: changed)
        return try repository.writer(plan(number, parent: parent), content: content, options: options).run()
    }

    /// Everything that a snapshot reads as.
    func restore(_ number: Int, in repository: Repository? = nil) throws -> TestImage {
        let reader = try (repository ?? self.repository).reader(of: Fixture.id(number))
        var image = TestImage(size: reader.size)
        var block = BlockIndex(0)
        while let run = try reader.nextData(from: block) {
            var bytes = [UInt8](repeating: 0xAA, count: run.bytes.count.bytes)
            try bytes.writeBytes { (span) throws(BlockFailure) in try reader.read(run, into: &span) }
            for step in 0..<run.count.count {
                image.set(run.start.number + step, Array(bytes[step * 4096..<(step + 1) * 4096]))
            }
            block = run.end
        }
        return image
    }

    func bytes(under prefix: String = "") throws -> Int {
        try store.list(prefix: prefix, startAfter: nil, limit: .max).reduce(0) { $0 + $1.size.bytes }
    }
    func keys(under prefix: String = "") throws -> [String] {
        try store.list(prefix: prefix, startAfter: nil, limit: .max).map(\.key)
    }
}

/// A clock that stands still until it is moved.
final class TestClock: HouseClock {
    private let time = Guarded(WallTime(milliseconds: 1_760_000_000_000))
    func now() -> WallTime { time.withLock { $0 } }
    func uptime() -> Duration { now() - WallTime(milliseconds: 0) }
    func sleep(_ duration: Duration) { advance(duration) }
    func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

import Blocks
import Simulation
import Testing
import VolumeEngine

/// What a roll back set aside gives way before a guest does, and only then.
@Suite struct SetAsideTests {
    private static let blocks = 64
    private let disk = SimulatedDisk()
    private let environment: VolumeEnvironment
    private let old: Volume
    private let new: Volume
    private let image: [UInt8]

    /// The old volume has three pending snapshots; the new one is restored from `source`, or empty.
    init() throws {
        environment = VolumeEnvironment(
            disk: disk.mount(), clock: ManualClock(passesSleeps: true), bootID: "boot", freeSpaceFloor: .tebibytes(2),
            runsBackgroundWork: false)
        try disk.makeDirectory("/volumes")
        old = try Self.make("old", environment, nil)
        image = pattern(Self.blocks * 4096, 1)
        try old.put(image, at: 0)
        for snapshot in ["snap-1", "snap-2", "snap-3"] {
            _ = try old.cut(for: snapshot)
            try old.put([9], at: 4096)
        }
        new = try Self.make("new", environment, ImageSource(image))
        new.setAside(old)
    }

    private static func make(
        _ name: String, _ environment: VolumeEnvironment, _ source: ImageSource?, origin: String = "snap-2"
    ) throws -> Volume {
        let path = "/volumes/" + name, origin = source.map { _ in origin }
        try Volume.create(
            NewVolume(size: BlockCount(blocks).size, source: origin, parent: origin), at: path, in: environment)
        return try Volume.open(at: path, in: environment, source: source)
    }

    private var pending: [String] { old.pendingCuts.map(\.snapshot) }

    @Test("a full disk ends what is set aside, but not the snapshot that missing blocks come from, nor those below it")
    func full() throws {
        #expect(new.setAside.map(\.status.pendingSnapshots) == [["snap-1", "snap-2", "snap-3"]])
        disk.capacity = disk.capacity - disk.free
        #expect(throws: BlockFailure.noSpace) { try new.put(pattern(4096, 2), at: 8192) }
        #expect(pending == ["snap-1", "snap-2"])
        disk.capacity = .tebibytes(1)
        #expect(try new.hydrate())
        disk.capacity = disk.capacity - disk.free
        #expect(throws: BlockFailure.noSpace) {
            try new.zero(ByteRange(at: 0, count: 4096), mayPunch: true, durably: false)
            try new.grow(to: BlockCount(Self.blocks * 2).size)
            try new.put(pattern(4096, 2), at: Self.blocks * 4096)
        }
        #expect(pending.isEmpty)
        disk.capacity = .tebibytes(1)
        #expect(Array(try new.get(4096, (Self.blocks - 1) * 4096)) == Array(image[4096...]))
    }

    @Test("on a disk that is nearly full it ends when the free space is looked at, every 1024 redirected blocks")
    func nearlyFull() throws {
        #expect(try new.hydrate())
        for round in 0..<18 {
            try new.put(pattern(Self.blocks * 4096, UInt8(round)), at: 0)
            // The first round found nothing frozen.
            #expect(pending.isEmpty == (round * Self.blocks >= 1024), "round \(round)")
            _ = try new.cut(for: "snap-own-\(round)")
        }
        #expect(try new.all() == pattern(Self.blocks * 4096, 17))
    }

    @Test("after two roll backs the snapshots that missing blocks build on are spared in both sets of files")
    func twice() throws {
        // The new volume, restored from snap-2, has a pending snapshot of its own; the newest is restored from that.
        _ = try new.cut(for: "snap-4")
        _ = try new.cut(for: "snap-5")
        let newest = try Self.make("newest", environment, ImageSource(image), origin: "snap-4")
        newest.setAside(new)
        newest.setAside(new)
        #expect(newest.setAside.count == 2)
        disk.capacity = disk.capacity - disk.free
        #expect(throws: BlockFailure.noSpace) { try newest.put(pattern(4096, 2), at: 8192) }
        #expect(pending == ["snap-1", "snap-2"])
        #expect(new.pendingCuts.map(\.snapshot) == ["snap-4"])
    }

    @Test("it is not kept alive, and what it held is forgotten with it")
    func weak() throws {
        var another: Volume? = try Self.make("another", environment, nil)
        try #require(another).close()
        if let another { new.setAside(another) }
        #expect(new.setAside.count == 2)
        another = nil
        #expect(new.setAside.count == 1)
    }
}

import Blocks
import Simulation
import TestSupport
import Testing

@Suite struct SimulatedDiskTests {
    private static let outcomes = (0..<200).map(UInt64.init)
    private func block(_ value: UInt8) -> [UInt8] { [UInt8](repeating: value, count: 4096) }

    /// A disk with a synced directory and a synced file of eight blocks of ones.
    private func prepared() throws -> (SimulatedDisk, any DiskFile) {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/d")
        try disk.syncDirectory("/")
        let file = try disk.open("/d/a", .create)
        try file.put([UInt8](repeating: 1, count: 8 * 4096), at: 0)
        try file.sync()
        try disk.syncDirectory("/d")
        return (disk, file)
    }
    /// Every outcome of a power loss that 200 seeds give.
    private func outcomes<R: Hashable>(
        of act: (SimulatedDisk, any DiskFile) throws -> Void, _ look: (SimulatedDisk) throws -> R
    ) throws -> Set<R> {
        var found: Set<R> = []
        for seed in Self.outcomes {
            let (disk, file) = try prepared()
            try act(disk, file)
            disk.losePower(seed: seed)
            found.insert(try look(disk))
        }
        return found
    }
    private func content(_ disk: SimulatedDisk, _ path: String = "/d/a") throws -> [UInt8] {
        let file = try disk.open(path, .readOnly)
        return try file.bytes(at: 0, count: try file.size().bytes)
    }

    @Test("what was synced is there after power loss, under every seed")
    func synced() throws {
        let found = try outcomes { _, file in
            try file.put(block(2), at: 4096)
            try file.punch(ByteRange(at: 8192, count: 4096))
            try file.sync()
        } _: {
            try content($0)
        }
        let ones = { [UInt8](repeating: 1, count: $0 * 4096) }
        #expect(found == [ones(1) + block(2) + block(0) + ones(5)])
    }

    @Test("a durable write saves its sectors and no other write")
    func durableWrite() throws {
        let found = try outcomes { _, file in
            try file.put(block(2), at: 0)
            try file.put([UInt8](repeating: 3, count: 512), at: 4096, durably: true)
        } _: {
            try content($0).enumerated().filter { $0.offset % 512 == 0 && $0.offset < 8192 }.map(\.element)
        }
        #expect(found.allSatisfy { $0[8] == 3 && $0[9...15].allSatisfy { $0 == 1 } })
        #expect(found.contains { $0[0] == 1 } && found.contains { $0[0] == 2 })
    }

    @Test("an overwritten block tears at 512 bytes, and never within them")
    func tears() throws {
        let found = try outcomes { _, file in
            try file.put(block(2), at: 0)
            try file.put(block(3), at: 0)
        } _: { disk -> [[UInt8]] in
            let bytes = try content(disk)
            return (0..<8).map { Array(Set(bytes[$0 * 512..<($0 + 1) * 512])) }
        }
        #expect(found.allSatisfy { $0.allSatisfy { $0.count == 1 } })
        #expect(found.count > 50)
        #expect(Set(found.flatMap { $0.flatMap { $0 } }) == [1, 2, 3])
    }

    @Test("a block in new space appears whole or not at all, and SEEK_DATA agrees")
    func newSpace() throws {
        let found = try outcomes { _, file in
            try file.put(block(7), at: 10 * 4096)
            try file.resize(to: 262144)
            try file.put(block(7), at: 20 * 4096)
        } _: { disk -> [Int] in
            let file = try disk.open("/d/a", .readOnly)
            let blocks = try file.dataBlocks().filter { $0 >= 8 }
            for block in [10, 20] {
                let bytes = try file.bytes(at: block * 4096, count: 4096)
                #expect(bytes == self.block(blocks.contains(block) ? 7 : 0))
            }
            return blocks
        }
        #expect(found == [[], [10], [20], [10, 20]])
    }

    @Test("newer data may survive at the one place where older data does not at the other")
    func reordered() throws {
        let found = try outcomes { _, file in
            try file.put([2], at: 0)
            try file.put([2], at: 4096)
        } _: {
            try [content($0)[0], content($0)[4096]]
        }
        #expect(found == [[1, 1], [1, 2], [2, 1], [2, 2]])
    }

    @Test("a punch and a later write each survive or not")
    func punches() throws {
        let found = try outcomes { _, file in
            try file.punch(ByteRange(at: 0, count: 4096))
            try file.put(block(3), at: 0)
        } _: {
            Set(try content($0)[0..<4096])
        }
        #expect(found == [[1], [0], [3]])
    }

    @Test("a changed length survives or not, and what lies past it is gone")
    func lengths() throws {
        let found = try outcomes { _, file in
            try file.resize(to: 100)
            try file.put(block(2), at: 8192)
        } _: {
            try content($0).count
        }
        #expect(found.contains(100) && found.contains(8 * 4096) && found.contains(3 * 4096))
        for size in found { #expect([100, 8 * 4096, 3 * 4096].contains(size)) }
    }

    @Test("a new name needs its directory synced, and a new directory its parent")
    func names() throws {
        let found = try outcomes { disk, _ in
            try disk.makeDirectory("/e")
            let file = try disk.open("/e/b", .create)
            try file.put([5], at: 0)
            try file.sync()
            try disk.syncDirectory("/e")
        } _: {
            try $0.facts("/e") == nil ? -1 : content($0, "/e/b").count
        }
        #expect(found == [-1, 1])
        let synced = try outcomes { disk, _ in
            let file = try disk.open("/d/b", .create)
            try disk.syncDirectory("/d")
            try file.put([5], at: 0)
        } _: {
            try content($0, "/d/b").count
        }
        #expect(synced == [0, 1])
    }

    @Test("a rename is atomic; the file is found with its durable content under one of its names")
    func renames() throws {
        let found = try outcomes { disk, _ in
            let new = try disk.open("/d/a.new", .create)
            try new.put([5], at: 0)
            try new.sync()
            try disk.rename("/d/a.new", to: "/d/a")
        } _: { disk in
            try disk.list("/d") + ["\(try content(disk)[0])"]
        }
        #expect(found == [["a", "1"], ["a", "5"], ["a", "a.new", "1"]])
        let unsynced = try outcomes { disk, _ in
            let new = try disk.open("/d/a.new", .create)
            try new.put([5], at: 0)
            try disk.rename("/d/a.new", to: "/d/a")
            try disk.syncDirectory("/d")
        } _: {
            try content($0).count
        }
        #expect(unsynced == [0, 1], "the name is durable, the content is not")
    }

    @Test("a removed file may come back until its directory is synced")
    func removals() throws {
        let found = try outcomes { disk, _ in
            try disk.remove("/d/a")
        } _: {
            try $0.list("/d")
        }
        #expect(found == [[], ["a"]])
        let synced = try outcomes { disk, _ in
            try disk.remove("/d/a")
            try disk.syncDirectory("/d")
        } _: {
            try $0.list("/d")
        }
        #expect(synced == [[]])
    }

    @Test("a rename without replacing leaves at least one of the names")
    func links() throws {
        let found = try outcomes { disk, _ in
            let isRenamed = try disk.renameIfAbsent("/d/a", to: "/d/b")
            #expect(isRenamed)
        } _: {
            try $0.list("/d")
        }
        #expect(found == [["a"], ["a", "b"], ["b"]])
    }

    @Test("kill -9 keeps everything that was written, also through a mapping, and kills the open files")
    func kills() throws {
        let (disk, file) = try prepared()
        let mount = disk.mount()
        let mapped = try mount.open("/d/map", .create)
        try mapped.resize(to: 65536)
        let memory = try mapped.map(65536)
        try mapped.allocate(ByteRange(at: 8192, count: 4096))
        memory.fetchOr(1024, 99)
        try file.put([4], at: 0)
        #expect(try mapped.lockExclusively())
        disk.kill()
        memory.fetchOr(1024, 0xff00)
        #expect(throws: BlockFailure.failed) { try file.put([5], at: 0) }
        #expect(throws: BlockFailure.failed) { try mapped.sync() }
        #expect(throws: DiskFailure.self) { try mount.open("/d/a", .readOnly) }
        #expect(try content(disk)[0] == 4)
        let again = try disk.open("/d/map", .readWrite)
        #expect(try again.lockExclusively())
        #expect(try again.map(65536).load(1024) == 99)
        #expect(try again.dataBlocks() == [2])
    }

    @Test("a mapped page survives power loss as last synced or as last stored")
    func mappings() throws {
        let found = try outcomes { disk, _ in
            let file = try disk.open("/d/map", .create)
            try disk.syncDirectory("/d")
            try file.resize(to: 8192)
            let memory = try file.map(8192)
            try file.allocate(ByteRange(at: 0, count: 8192))
            memory.fetchOr(0, 1)
            try memory.sync()
            memory.fetchOr(0, 2)
            memory.fetchOr(64, 4)
            memory.fetchOr(512, 8)
        } _: { disk -> [UInt64] in
            let memory = try disk.open("/d/map", .readWrite).map(8192)
            return [0, 64, 512].map { memory.load($0) }
        }
        #expect(found == Set([1, 3].flatMap { a in [0, 4].flatMap { b in [0, 8].map { [a, b, $0] } } }))
    }

    @Test("a full disk moves what fits, then fails; removal and punches give space back")
    func full() throws {
        let disk = SimulatedDisk(capacity: ByteCount(4 * 4096))
        let file = try disk.open("/a", .create)
        #expect(throws: BlockFailure.noSpace) { try file.put([UInt8](repeating: 1, count: 5 * 4096), at: 0) }
        #expect(try file.size() == ByteCount(4 * 4096))
        try file.put(block(2), at: 0)
        #expect(throws: BlockFailure.noSpace) { try file.allocate(ByteRange(at: 1_048_576, count: 1)) }
        let failure = #expect(throws: DiskFailure.self) { try disk.open("/b", .create) }
        #expect(failure?.blockFailure == .noSpace)
        try file.punch(ByteRange(at: 4096, count: 4096))
        #expect(disk.free == 4096)
        _ = try disk.open("/b", .create)
        try disk.remove("/a")
        #expect(disk.free == 4096, "an open file keeps its space")
    }

    @Test("a failed sync poisons the handle, and a fresh one succeeds without saving what was dirty")
    func failedSync() throws {
        let found = try outcomes { disk, file in
            try file.put([2], at: 0)
            disk.failSyncs(of: "/a")
            #expect(throws: BlockFailure.io(errno: 5)) { try file.sync() }
            #expect(throws: BlockFailure.failed) { try file.sync() }
            #expect(throws: BlockFailure.failed) { try file.put([3], at: 4096, durably: true) }
            try disk.open("/d/a", .readWrite).sync()
            #expect(try file.bytes(at: 0, count: 1) == [2])
        } _: {
            try content($0)[0]
        }
        #expect(found == [1, 2])
    }

    @Test("the machine can go down before, within and after any call")
    func outages() throws {
        for moment in DiskVerdict.Moment.allCases {
            let (disk, file) = try prepared()
            let target = disk.changeCount + 2
            disk.onOperation { $0.change == target ? .outage(.kill, moment) : .proceed }
            try file.put([2], at: 0)
            #expect(throws: BlockFailure.failed) { try file.put([3], at: 0) }
            #expect(throws: BlockFailure.failed) { try file.put([4], at: 0) }
            let left = try content(disk)[0]
            switch moment {
            case .before: #expect(left == 2)
            case .halfway: #expect(left == 2 || left == 3)
            case .after: #expect(left == 3)
            }
        }
    }

    @Test("a call can be made to fail without happening")
    func injected() throws {
        let (disk, file) = try prepared()
        disk.onOperation { $0.kind == .punch ? .fail(.io(errno: 5)) : .proceed }
        #expect(throws: BlockFailure.io(errno: 5)) { try file.punch(ByteRange(at: 0, count: 4096)) }
        disk.onOperation(nil)
        #expect(try content(disk)[0] == 1)
    }

    @Test("the same seed leaves the same disk")
    func repeats() throws {
        func run(_ seed: UInt64) throws -> [UInt8] {
            let (disk, file) = try prepared()
            var random = SeededRandom(seed: 5)
            for _ in 0..<50 { try file.put(block(UInt8(random.below(250))), at: random.below(20) * 512) }
            disk.losePower(seed: seed)
            return try content(disk)
        }
        #expect(try run(1) == run(1))
        #expect(try run(1) != run(2))
    }

    @Test("allocated space that nobody wrote is a hole to SEEK_DATA until it is read")
    func unwritten() throws {
        let (_, file) = try prepared()
        try file.zero(ByteRange(at: 4096, count: 8192))
        #expect(try file.dataBlocks() == [0, 3, 4, 5, 6, 7])
        _ = try file.bytes(at: 4096, count: 1)
        #expect(try file.dataBlocks() == [0, 1, 3, 4, 5, 6, 7])
    }

    @Test("a terabyte of holes costs nothing")
    func sparse() throws {
        let disk = SimulatedDisk()
        let file = try disk.open("/a", .create)
        try file.resize(to: .tebibytes(64))
        try file.put([1], at: 63 << 40)
        #expect(try file.dataBlocks() == [63 << 28])
        #expect(disk.free == disk.capacity - 4096)
        let map = try disk.open("/m", .create)
        try map.resize(to: .gibibytes(2))
        let memory = try map.map(.gibibytes(2))
        try map.allocate(ByteRange(at: ByteOffset(1 << 30), count: 4096))
        memory.fetchOr(1 << 27, 3)
        disk.kill()
        #expect(try disk.open("/m", .readWrite).map(.gibibytes(2)).load(1 << 27) == 3)
    }
}

import Blocks
import Simulation
import TestSupport
import Testing
import VolumeEngine

/// What a volume calls unchanged since a snapshot is what the snapshot holds, whatever goes on meanwhile.
@Suite(.timeLimit(.minutes(2))) struct UnchangedTests {
    let scratch: Scratch
    init() throws { scratch = try Scratch() }

    private func make(_ size: Int, source: [UInt8]? = nil, background: Bool = false) throws -> Volume {
        let environment = VolumeEnvironment.local(background: background)
        let name = source.map { _ in "snap-s" }
        try Volume.create(
            NewVolume(size: ByteCount(size), source: name, parent: name), at: scratch.path + "/v", in: environment)
        return try Volume.open(at: scratch.path + "/v", in: environment, source: source.map(ImageSource.init))
    }

    /// The live bytes of blocks that claim to be unchanged, or nil.
    private func unchanged(_ volume: Volume, since snapshot: String, _ start: Int, _ count: Int = 1) throws -> [UInt8]?
    {
        var bytes = [UInt8](repeating: 0xEE, count: count * 4096)
        let isUnchanged = try bytes.writeBytes { (all) throws(BlockFailure) in
            try volume.readIfUnchanged(
                since: snapshot, BlockRange(at: BlockIndex(start), count: BlockCount(count)), into: &all)
        }
        return isUnchanged ? bytes : nil
    }

    @Test("unchanged counts from the record's parent and from cuts, over every map since") func counts() throws {
        let volume = try make((64 << 12) + 512)
        try volume.put(pattern((64 << 12) + 512, 1), at: 0)
        let image = try volume.all() + [UInt8](repeating: 0, count: 4096 - 512)
        #expect(volume.countedSnapshots == [])
        _ = try volume.cut(for: "snap-1")
        volume.finish("snap-1")
        try volume.settle()
        #expect(volume.countedSnapshots == ["snap-1"])
        try volume.put([1], at: 5 * 4096)
        let second = try volume.cut(for: "snap-2")
        try volume.put([2], at: 6 * 4096)
        #expect(volume.countedSnapshots == ["snap-1", "snap-2"])
        #expect(try unchanged(volume, since: "snap-1", 4) == Array(image[4 * 4096..<5 * 4096]))
        #expect(try unchanged(volume, since: "snap-1", 64) == Array(image[64 * 4096..<65 * 4096]), "the cut off block")
        #expect(try unchanged(volume, since: "snap-1", 4, 2) == nil)
        #expect(try unchanged(volume, since: "snap-1", 6) == nil)
        #expect(try unchanged(volume, since: "snap-2", 6) == nil)
        #expect(try unchanged(volume, since: "snap-2", 5)?.first == 1)
        #expect(try unchanged(volume, since: "snap-3", 4) == nil)
        #expect(try unchanged(volume, since: "snap-1", 64, 2) == nil)
        let all = BlockRange(at: 0, count: 65)
        #expect(volume.nextChange(since: "snap-1", in: all) == BlockRange(at: 5, count: 1))
        #expect(volume.nextChange(since: "snap-2", in: all) == BlockRange(at: 6, count: 1))
        #expect(volume.nextChange(since: "snap-1", in: BlockRange(at: 7, count: 50)) == nil)
        #expect(volume.nextChange(since: "snap-3", in: all) == all)

        // Given up: its changes count as changes again, and from it nothing counts.
        #expect(volume.cancel("snap-2", reason: "test") == ["snap-2"])
        #expect(second.givenUpReason != nil && volume.countedSnapshots == ["snap-1"])
        #expect(try unchanged(volume, since: "snap-2", 5) == nil)
        #expect(try unchanged(volume, since: "snap-1", 5) == nil)
        try volume.settle()
        #expect(try unchanged(volume, since: "snap-1", 5) == nil)
        #expect(try unchanged(volume, since: "snap-1", 7) == Array(image[7 * 4096..<8 * 4096]))
    }

    @Test("while blocks may be absent nothing can be told; afterwards the source is what a volume counts from")
    func hydrating() throws {
        let source = pattern(40 << 12, 3)
        let volume = try make(64 << 12, source: source)
        #expect(volume.countedSnapshots == ["snap-s"])
        #expect(try unchanged(volume, since: "snap-s", 0) == nil)
        #expect(volume.nextChange(since: "snap-s", in: BlockRange(at: 2, count: 5)) == BlockRange(at: 2, count: 5))
        #expect(try volume.hydrate())
        #expect(try unchanged(volume, since: "snap-s", 0, 40) == source)
        #expect(try unchanged(volume, since: "snap-s", 40, 24) == [UInt8](repeating: 0, count: 24 << 12))
        try volume.close()
        #expect(try unchanged(volume, since: "snap-s", 0) == nil, "closed")
    }

    @Test(
        "a write between the question and the read is noticed, in place and beside a pending cut",
        arguments: [false, true])
    func overtaken(isCutPending: Bool) throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/volumes")
        let environment = VolumeEnvironment(
            disk: disk.mount(), clock: SystemClock(), bootID: "boot", runsBackgroundWork: false)
        try Volume.create(NewVolume(size: .mebibytes(1)), at: "/volumes/v", in: environment)
        let volume = try Volume.open(at: "/volumes/v", in: environment)
        try volume.put(pattern(1 << 20, 1), at: 0)
        _ = try volume.cut(for: "snap-1")
        volume.finish("snap-1")
        try volume.settle()
        if isCutPending {
            try volume.put([1], at: 100 << 12)
            _ = try volume.cut(for: "snap-2")
        }
        let writes = Guarded(0)
        disk.onOperation { operation in
            guard operation.kind == .read, operation.path.contains("home") else { return .proceed }
            // Into the second of the two blocks, by a guest that the read does not know of.
            try? volume.put([9], at: 4 * 4096)
            writes.withLock { $0 += 1 }
            return .proceed
        }
        #expect(try unchanged(volume, since: "snap-1", 3, 2) == nil)
        disk.onOperation(nil)
        #expect(writes.withLock { $0 } > 0)
        #expect(try volume.get(4 * 4096, 1) == [9])
        #expect(try unchanged(volume, since: "snap-1", 3) == Array(pattern(1 << 20, 1)[3 * 4096..<4 * 4096]))
    }

    @Test("allocated runs are those with data, and an empty volume of 64 TiB has none") func allocated() throws {
        let volume = try make(64 << 40)
        #expect(try volume.nextAllocated(from: 0) == nil)
        try volume.put([1], at: (60 << 40) + 5)
        let block = BlockIndex((60 << 40) / 4096)
        #expect(try volume.nextAllocated(from: 0) == BlockRange(at: block, count: 1))
        #expect(try volume.nextAllocated(from: block) == BlockRange(at: block, count: 1))
        #expect(try volume.nextAllocated(from: block + 1) == nil)
        #expect(try volume.nextAllocated(from: BlockIndex(1 << 34)) == nil)
    }

    private struct Sums {
        var isOver = false
        var cuts = 0
        var rounds = 0
        var problems: [String] = []
    }

    /// Two writers, and one who cuts, completes and gives up.
    @Test(
        "with writers and cuts going on, what is called unchanged is never anything else",
        arguments: Seed.some(fixed: 2, fresh: 2))
    func races(_ seed: Seed) throws {
        let blocks = 512
        let volume = try make(blocks << 12, background: true)
        try volume.put(pattern(blocks << 12, 1), at: 0)
        let image = try volume.all()
        _ = try volume.cut(for: "snap-1")
        volume.finish("snap-1")
        try volume.settle()
        let sums = Guarded(Sums())
        @Sendable func note(_ error: any Error) { sums.withLock { $0.problems.append("\(error)") } }
        // Each writer walks over the whole disk once, in step with the questions, so that at first nearly everything is
        // unchanged and at the end nearly nothing is, however the system shares out its time.
        let questions = 20_000, steps = 4000
        let writers = (0..<2).map { lane in
            OSThread(name: "writer") {
                var random = SmallRandom(seed.number &+ UInt64(lane))
                for step in 0..<steps {
                    while sums.withLock({ !$0.isOver && $0.rounds < step * questions / steps }) {
                        SystemClock().sleep(.microseconds(50))
                    }
                    if sums.withLock({ $0.isOver }) { return }
                    let block = Int(random.next() % UInt64(1 + step * blocks / steps))
                    let (offset, count) = (Int(random.next() % 4096), 1 + Int(random.next() % 9000))
                    let start = min(block * 4096 + offset, blocks * 4096 - count)
                    do {
                        if random.next() % 8 == 0 {
                            let range = ByteRange(at: ByteOffset(start), count: ByteCount(count))
                            try volume.zero(range, mayPunch: true, durably: false)
                        } else {
                            try volume.put([UInt8](repeating: UInt8(step % 250), count: count), at: start)
                        }
                    } catch { note(error) }
                }
            }
        }
        let cutter = OSThread(name: "cutter") {
            var random = SmallRandom(seed.number &+ 99)
            while !sums.withLock({ $0.isOver }) {
                let number = sums.withLock { sums -> Int in
                    sums.cuts += 1
                    return sums.cuts
                }
                do {
                    // Never finished: snap-1 stays the record's parent.
                    _ = try volume.cut(for: "snap-x\(number)")
                    if random.next() % 2 == 0 { SystemClock().sleep(.microseconds(300)) }
                    _ = volume.cancel("snap-x\(number)", reason: "test")
                    try volume.settle()
                } catch { note(error) }
            }
        }
        var random = SmallRandom(seed.number &+ 1000)
        var (told, untold) = (0, 0)
        // On a busy disk writes and cuts take their time: go on until there were some.
        func isEnough() -> Bool {
            let now = sums.withLock { sums in
                sums.rounds += 1
                return sums
            }
            return now.rounds > questions && (now.rounds > 50 * questions || (now.cuts > 3 && untold > 100))
        }
        while !isEnough() {
            let start = Int(random.next() % UInt64(blocks))
            let count = 1 + Int(random.next() % UInt64(min(32, blocks - start)))
            if let bytes = try unchanged(volume, since: "snap-1", start, count) {
                told += 1
                // A comparison of arrays inside the macro would spell out how they differ, which takes for ever.
                let isSame = bytes == Array(image[start * 4096..<(start + count) * 4096])
                #expect(isSame, "\(seed), block \(start)")
                if !isSame { break }
            } else {
                untold += 1
            }
        }
        sums.withLock { $0.isOver = true }
        for thread in writers + [cutter] { thread.join() }
        let end = sums.withLock { $0 }
        #expect(end.problems == [] && end.cuts > 3 && told > 100 && untold > 100, "\(seed): \(end), \(told), \(untold)")
    }
}

/// Repeatable random numbers.
private struct SmallRandom {
    var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x2545_F491_4F6C_DD1D | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}

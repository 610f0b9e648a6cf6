import Blocks
import Simulation
import TestSupport
import Testing
import VolumeEngine

/// Real threads: writers of whole and partial blocks against cuts, captures, settling and hydrating.
@Suite(.timeLimit(.minutes(5))) struct EngineInterleavingTests {
    static let directory = "/volumes/vol-1"

    /// Waits a little at some of the calls, so that threads meet in the middle of things.
    private func jitter(_ disk: SimulatedDisk, _ seed: UInt64, outage: (at: Int, DiskVerdict.Outage)? = nil) {
        let clock = SystemClock()
        disk.onOperation { operation in
            if let outage, operation.number == outage.at { return .outage(outage.1, .before) }
            var random = SeededRandom(seed: seed ^ UInt64(operation.number))
            if random.oneIn(12) { clock.sleep(.microseconds(random.below(300))) }
            return .proceed
        }
    }

    private func environment(_ disk: any Disk, boot: Int = 1) -> VolumeEnvironment {
        VolumeEnvironment(disk: disk, clock: SystemClock(), bootID: "boot-\(boot)", hydrationThreads: 3)
    }

    private func make(_ disk: any Disk, at directory: String, source: Stamps?) throws -> Volume {
        let name = source.map { _ in "snap-source" }
        let plan = NewVolume(size: ByteCount(Arena.sectors * 512), source: name, parent: name)
        try Volume.create(plan, at: directory, in: environment(disk))
        return try Volume.open(at: directory, in: environment(disk), source: source.map(StampedSource.init))
    }

    private func source(_ seed: Seed) -> Stamps? {
        var random = SeededRandom(seed: seed.number)
        guard random.oneIn(2) else { return nil }
        return EngineModelTests.source(&random, units: Arena.sectors, unit: 512).resized(to: Arena.sectors)
    }

    private func contents(_ volume: Volume) throws -> [UInt32?] {
        Stamps.decode(try volume.all(), at: 0, unit: 512)
    }

    /// Every lane's acknowledged writes are there, none is from the future.
    private func expect(_ found: [UInt32?], _ arena: Arena, low: [Int], place: SourceLocation = #_sourceLocation) {
        let high = arena.issued()
        for (index, lane) in arena.lanes.enumerated() {
            let fault = lane.fault(
                in: found, from: arena.source.numbers, low: low[index], high: high[index], isPrefix: false)
            if let fault { Issue.record("\(fault)", sourceLocation: place) }
        }
        let rest = Array(found[(64 * 8)...])
        let wanted = arena.source.numbers[(64 * 8)...].map(Optional.some)
        #expect(rest == wanted, "what nobody wrote", sourceLocation: place)
    }

    private func expectNoProblems(_ arena: Arena, place: SourceLocation = #_sourceLocation) {
        let problems = arena.state.withLock { $0.problems }
        #expect(problems.isEmpty, "\(problems.prefix(3))", sourceLocation: place)
    }

    @Test("snapshots are consistent and no write is lost, whoever meets whom", arguments: Seed.some(fixed: 4, fresh: 6))
    func simulated(_ seed: Seed) throws {
        let disk = SimulatedDisk(seed: seed.number)
        try disk.makeDirectory("/volumes")
        jitter(disk, seed.number)
        try play(disk.mount(), Self.directory, seed)
    }

    @Test("the same on the local disk", arguments: Seed.some(fixed: 1, fresh: 2))
    func local(_ seed: Seed) throws {
        let scratch = try ScratchDirectory("interleaving")
        try play(LocalDisk(), scratch.path + "/vol-1", seed)
    }

    private func play(_ disk: any Disk, _ directory: String, _ seed: Seed) throws {
        let source = source(seed)
        let volume = try make(disk, at: directory, source: source)
        let arena = Arena(volume, source: source ?? Stamps(unit: 512, count: Arena.sectors))
        arena.run(cuts: 40, seed: seed.number)
        expectNoProblems(arena)
        #expect(arena.state.withLock { $0.failure } == nil)
        #expect(arena.state.withLock { $0.cuts } == 40)
        expect(try contents(volume), arena, low: arena.counts(\.acknowledged))
        var random = SeededRandom(seed: seed.number)
        while arena.state.withLock({ !$0.pending.isEmpty }) { try arena.finishOldest(&random) }
        try volume.settle()
        expectNoProblems(arena)
        expect(try contents(volume), arena, low: arena.counts(\.acknowledged))
        try volume.close()
        let again = try Volume.open(
            at: directory, in: environment(disk, boot: 2), source: source.map(StampedSource.init))
        expect(try contents(again), arena, low: arena.counts(\.acknowledged))
        try again.close()
    }

    @Test(
        "an outage under load keeps what was acknowledged or flushed, and every sealed snapshot",
        arguments: Seed.some(fixed: 8, fresh: 12))
    func outage(_ seed: Seed) throws {
        var random = SeededRandom(seed: seed.number)
        let disk = SimulatedDisk(seed: seed.number)
        try disk.makeDirectory("/volumes")
        try disk.syncDirectory("/")
        let isKill = random.oneIn(2)
        let source = source(seed)
        let volume = try make(disk.mount(), at: Self.directory, source: source)
        let moment = disk.operationCount + 50 + random.below(4000)
        jitter(disk, seed.number, outage: (moment, isKill ? .kill : .powerLoss(seed: seed.number)))
        let arena = Arena(volume, source: source ?? Stamps(unit: 512, count: Arena.sectors))
        arena.run(cuts: 60, seed: seed.number)
        disk.onOperation(nil)
        expectNoProblems(arena)
        if disk.operationCount < moment { isKill ? disk.kill() : disk.losePower(seed: seed.number) }
        try? volume.close()  // ends its threads; its mount is dead

        let again = try Volume.open(
            at: Self.directory, in: environment(disk.mount(), boot: isKill ? 1 : 2),
            source: source.map(StampedSource.init))
        expect(try contents(again), arena, low: isKill ? arena.counts(\.acknowledged) : arena.counts(\.flushed))
        try expectSnapshots(again, arena)
        try again.settle()
        expect(try contents(again), arena, low: isKill ? arena.counts(\.acknowledged) : arena.counts(\.flushed))
        try again.close()
    }

    /// What was pending is pending, except one whose cut, cancel or settling was under way; each reads as before.
    private func expectSnapshots(_ volume: Volume, _ arena: Arena) throws {
        let (pending, underWay, ended) = arena.state.withLock { ($0.pending, $0.underWay, $0.ended) }
        let found = volume.pendingCuts
        for taken in pending.dropLast() {
            #expect(found.contains { $0.snapshot == taken.snapshot }, "\(taken.snapshot) is gone")
        }
        let judge = Arena(volume, source: arena.source)
        let images = arena.state.withLock { $0.images }
        for view in found where !ended.contains(view.snapshot) {
            guard var taken = pending.first(where: { $0.snapshot == view.snapshot }) ?? underWay else { continue }
            if taken.high.isEmpty { taken.high = arena.issued() }
            let known = taken
            judge.state.withLock { state in
                state.images = images
                state.pending.append(known)
            }
            guard known.image != nil else { continue }
            try judge.look(at: view)
        }
        expectNoProblems(judge)
    }

    @Test("a group cut never has the second of two writes without the first", arguments: Seed.some(fixed: 2, fresh: 4))
    func group(_ seed: Seed) throws {
        let disk = SimulatedDisk(seed: seed.number)
        try disk.makeDirectory("/volumes")
        jitter(disk, seed.number)
        let a = try make(disk.mount(), at: "/volumes/a", source: nil)
        let b = try make(disk.mount(), at: "/volumes/b", source: nil)
        let mustStop = Guarded(false)
        // Each lane writes number n to one volume and, once that is acknowledged, to the other: two lanes each way.
        let threads = (0..<4).map { lane in
            OSThread(name: "pair") {
                let (first, second) = lane % 2 == 0 ? (a, b) : (b, a)
                var number = 0
                while !mustStop.withLock({ $0 }) {
                    number += 1
                    let bytes = Stamps.bytes(UInt32(number), at: lane, count: 1, unit: 512)
                    guard (try? first.put(bytes, at: lane * 512)) != nil,
                        (try? second.put(bytes, at: lane * 512)) != nil
                    else { return }
                }
            }
        }
        defer {
            mustStop.withLock { $0 = true }
            for thread in threads { thread.join() }
            try? a.close()
            try? b.close()
        }
        for round in 0..<60 {
            let views = try Volume.cut([(a, "a-\(round)"), (b, "b-\(round)")])
            let stamps = try views.map { view -> [UInt32?] in
                guard let run = try view.nextChange(from: 0) else { return [0, 0, 0, 0] }
                return Array(
                    Stamps.decode(try view.get(BlockRange(at: run.start, count: 1)), at: 0, unit: 512).prefix(4))
            }
            for lane in 0..<4 {
                let first = try #require(stamps[lane % 2][lane]), second = try #require(stamps[1 - lane % 2][lane])
                // Unchanged since the last cut reads as nothing here; then there is nothing to compare.
                if try views[0].nextChange(from: 0) == nil || views[1].nextChange(from: 0) == nil { continue }
                #expect(second <= first, "round \(round), lane \(lane)")
                #expect(first - second <= 1)
            }
            for (view, volume) in zip(views, [a, b]) {
                try view.captured(pack: 0, runs: [BlockRange(at: 0, count: 1)])
                volume.finish(view.snapshot)
            }
            if round % 3 == 0 { try a.settle() }
            while a.pendingCuts.count + b.pendingCuts.count > 40 { try a.settle(); try b.settle() }
        }
    }
}

import Blocks
import Simulation
import TestSupport
import Testing
import VolumeEngine

/// A disk that refuses: full, or with errors, at every single call.
@Suite struct EngineFailureTests {
    private static let units = 66 * 8 + 3

    /// Plays `steps` with one failing call; a step that fails is followed by an outage, and the play goes on.
    @discardableResult
    private func play(
        _ steps: [BenchStep], restored: Bool, failing number: Int?, _ failure: BlockFailure, then outage: Bench.Outage
    ) throws -> Int {
        let bench = Bench(units: Self.units)
        bench.mayGiveUp = failure == .noSpace
        bench.disk.onOperation { operation in operation.number == number ? .fail(failure) : .proceed }
        var random = SeededRandom(seed: 11)
        let source = restored ? EngineModelTests.source(&random, units: Self.units, unit: 512) : nil
        do { try bench.start(from: source) } catch {
            cutShort(bench, outage)
            // One whose making was refused may be there or not, whatever was seen of it before the outage.
            if !bench.isMade, try bench.disk.facts(Bench.directory + "/volume.json") == nil { return 0 }
            try bench.recover(from: outage)
        }
        for step in steps {
            do {
                try bench.run(step)
                bench.dropGivenUp()
            } catch BenchFailure.lost {
                throw BenchFailure.lost
            } catch {
                // Refused, and nothing else changed: as if it had been cut short.
                try fall(bench, outage)
            }
        }
        let made = bench.disk.operationCount
        bench.disk.onOperation(nil)
        try bench.check()
        try bench.finishEverything()
        return made
    }

    private func fall(_ bench: Bench, _ outage: Bench.Outage) throws {
        cutShort(bench, outage)
        try bench.recover(from: outage)
    }

    private func cutShort(_ bench: Bench, _ outage: Bench.Outage) {
        switch outage {
        case .kill: bench.disk.kill()
        case .powerLoss(let seed): bench.disk.losePower(seed: seed)
        }
    }

    private static let stories = EngineCrashTests.stories.merging(["restored": EngineCrashTests.restored]) { a, _ in a }

    @Test(
        "one failing call, whichever it is, loses nothing that was promised",
        arguments: EngineFailureTests.stories.keys.sorted(), [BlockFailure.noSpace, .io(errno: 5)])
    func everyCall(_ name: String, _ failure: BlockFailure) throws {
        let steps = try #require(Self.stories[name])
        let isRestored = name == "restored"
        let count = try play(steps, restored: isRestored, failing: nil, failure, then: .kill)
        #expect(count > 50)
        let step = (Seed.isThorough ? 1 : 2) * Seed.stride
        let start = min(count, 1 + Int.random(in: 0..<step))
        for number in stride(from: start, through: count, by: step) {
            let outage: Bench.Outage = Bool.random() ? .kill : .powerLoss(seed: UInt64.random(in: 0...9999))
            do { try play(steps, restored: isRestored, failing: number, failure, then: outage) } catch {
                Issue.record("\(name): \(failure) at call \(number), then \(outage): \(error)")
                return
            }
        }
    }

    private func bench(_ blocks: Int = 64) throws -> Bench {
        let bench = Bench(units: blocks * 8)
        try bench.start()
        bench.mayGiveUp = true
        return bench
    }

    @Test(
        "a disk that fills up breaks the snapshot, never the guest's overwrites",
        arguments: [ByteCount.zero, 16_384, .mebibytes(256)])
    func overlayFull(_ floor: ByteCount) throws {
        let bench = Bench(units: 512)
        bench.freeSpaceFloor = floor
        bench.mayGiveUp = true
        try bench.start()
        try bench.run(.write(unit: 0, count: 512, durably: false))
        try bench.run(.cut)
        try bench.run(.cut)
        let used = bench.disk.capacity.bytes - bench.disk.free.bytes
        for free in 0..<12 {
            bench.disk.capacity = ByteCount(used + free * 4096)
            for unit in stride(from: 0, to: 512 - 24, by: 37) {
                try bench.run(.write(unit: unit, count: 24, durably: unit % 2 == 0))
            }
            bench.dropGivenUp()
            try bench.check()
        }
        #expect(bench.pending.isEmpty)
        bench.disk.capacity = .tebibytes(1)
        bench.disk.kill()
        try bench.recover(from: .kill)
        try bench.finishEverything()
    }

    @Test("a write into a hole of a full disk fails alone, and works again when there is space")
    func homeFull() throws {
        let bench = try bench()
        try bench.run(.write(unit: 0, count: 64, durably: true))
        try bench.run(.write(unit: 504, count: 8, durably: true))
        bench.disk.capacity = bench.disk.capacity - bench.disk.free
        #expect(throws: BlockFailure.noSpace) { try bench.run(.write(unit: 64, count: 8, durably: false)) }
        bench.underWay = nil
        try bench.check()
        try bench.run(.write(unit: 8, count: 40, durably: true))
        try bench.run(.flush)
        #expect(!bench.live.isFailed)
        bench.disk.capacity = .tebibytes(1)
        try bench.run(.write(unit: 64, count: 8, durably: false))
        try bench.finishEverything()
    }

    @Test("once the file system could not say what home holds, absent blocks are refused, never served older")
    func blind() throws {
        let bench = Bench(units: 64 * 8)
        var random = SeededRandom(seed: 5)
        try bench.start(from: EngineModelTests.source(&random, units: 64 * 8, unit: 512))
        try bench.run(.write(unit: 0, count: 8, durably: true))
        let written = try bench.live.get(0, 4096)
        // Opened anew, the volume knows of home only what the file system says.
        bench.disk.kill()
        try bench.open()
        let left = Guarded(1)
        bench.disk.onOperation { operation in
            guard operation.kind == .seek, operation.path.hasSuffix("home.img") else { return .proceed }
            return left.withLock { left in
                left -= 1
                return left == 0 ? .fail(.io(errno: 5)) : .proceed
            }
        }
        #expect(throws: BlockFailure.failed) { _ = try bench.live.get(0, 4096) }
        #expect(left.withLock { $0 } == 0)
        bench.disk.onOperation(nil)
        let isNewest = try bench.live.get(0, 4096) == written
        #expect(isNewest)
        for offset in [8 * 4096, 20 * 4096] {
            #expect(throws: BlockFailure.failed) { _ = try bench.live.get(offset, 4096) }
            #expect(throws: BlockFailure.failed) { try bench.live.put(pattern(4096, 1), at: offset) }
            #expect(throws: BlockFailure.failed) { try bench.live.put(pattern(512, 1), at: offset) }
        }
        bench.disk.kill()
        try bench.recover(from: .kill)
        try bench.check()
        try bench.finishEverything()
    }

    @Test("over the quota the snapshots end, the guest goes on, and a restart knows it")
    func quota() throws {
        let bench = Bench(units: 64 * 8)
        bench.overlayMinimum = 65_536
        try bench.start()
        bench.mayGiveUp = true
        try bench.run(.write(unit: 0, count: 512, durably: false))
        try bench.run(.cut)
        for block in 0..<64 {
            try bench.run(.write(unit: block * 8 + block % 3, count: 5, durably: block % 4 == 0))
            bench.dropGivenUp()
            #expect(bench.pending.isEmpty == (block >= 16), "block \(block)")
        }
        try bench.check()
        bench.disk.kill()
        try bench.recover(from: .kill)
        #expect(bench.live.pendingCuts.isEmpty)
        try bench.finishEverything()
    }

    @Test(
        "a sync that fails once fails the volume for good, whatever the kernel called it",
        arguments: [BlockFailure.io(errno: 5), .noSpace, .readOnly, .io(errno: 122)], ["home.img", "overlay.img"])
    func syncFails(_ failure: BlockFailure, _ file: String) throws {
        let bench = try bench()
        try bench.run(.write(unit: 0, count: 64, durably: true))
        try bench.run(.cut)
        try bench.run(.write(unit: 0, count: 32, durably: false))
        let left = Guarded(1)
        bench.disk.onOperation { operation in
            guard operation.kind == .sync, operation.path.hasSuffix(file) else { return .proceed }
            return left.withLock { left in
                left -= 1
                return left == 0 ? .fail(failure) : .proceed
            }
        }
        #expect(throws: BlockFailure.self) { try bench.live.flush() }
        #expect(bench.live.isFailed)
        for _ in 0..<3 { #expect(throws: BlockFailure.failed) { try bench.live.flush() } }
        #expect(throws: BlockFailure.failed) { try bench.live.put([1], at: 0) }
        #expect(throws: BlockFailure.failed) { try bench.live.put([1], at: 0, durably: true) }
        #expect(throws: VolumeFailure.self) { try bench.live.cut(for: "snap-x") }
        try? bench.live.close()
        bench.disk.onOperation(nil)
        bench.disk.losePower(seed: 3)
        try bench.recover(from: .powerLoss(seed: 3))
        try bench.finishEverything()
    }

    @Test("flushes that share a failing sync all fail")
    func sharedFlush() throws {
        for failure in [BlockFailure.io(errno: 5), .noSpace, .readOnly] {
            let bench = try bench()
            try bench.run(.write(unit: 0, count: 8, durably: false))
            let waiting = Guarded(0)
            bench.disk.onOperation { operation in
                guard operation.kind == .sync else { return .proceed }
                SystemClock().sleep(.milliseconds(20))
                return .fail(failure)
            }
            let volume = bench.live
            let good = Guarded(0)
            let threads = (0..<6).map { _ in
                OSThread(name: "flush") {
                    waiting.withLock { $0 += 1 }
                    if (try? volume.flush()) != nil { good.withLock { $0 += 1 } }
                }
            }
            for thread in threads { thread.join() }
            #expect(good.withLock { $0 } == 0, "\(failure)")
        }
    }

    @Test(
        "a cut that cannot be made durable is refused, and the guest goes on",
        arguments: ["2.map", "1.map", "cut.json.new"])
    func sealFails(_ file: String) throws {
        let bench = try bench()
        try bench.run(.write(unit: 0, count: 64, durably: true))
        bench.disk.onOperation { operation in
            let isHit = operation.path.contains(file) && (operation.kind == .sync || operation.kind == .write)
            return isHit ? .fail(.io(errno: 5)) : .proceed
        }
        #expect(throws: VolumeFailure.self) { try bench.run(.cut) }
        bench.disk.onOperation(nil)
        bench.underWay = nil
        if bench.live.isFailed { return }
        #expect(bench.live.pendingCuts.isEmpty)
        try bench.run(.write(unit: 0, count: 40, durably: true))
        try bench.run(.flush)
        try bench.check()
        try bench.run(.settle)
        try bench.run(.cut)
        try bench.finishEverything()
    }
}

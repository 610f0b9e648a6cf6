import Blocks
import Simulation
import TestSupport
import Testing
import VolumeEngine

/// Short histories, cut off by kill -9 or power loss at every single disk operation, then opened, checked and continued.
@Suite struct EngineCrashTests {
    /// Histories with a name, so that a failure tells what was going on.
    static let stories: [String: [BenchStep]] = [
        "write and flush": [
            .write(unit: 0, count: 40, durably: false), .flush, .write(unit: 5, count: 3, durably: false),
            .write(unit: 16, count: 8, durably: true), .zero(unit: 3, count: 20, mayPunch: true, durably: false),
            .trim(unit: 24, count: 16), .flush, .write(unit: 0, count: 9, durably: false),
        ],
        "one snapshot to its end": [
            .write(unit: 0, count: 80, durably: false), .cut, .write(unit: 3, count: 30, durably: false),
            .write(unit: 64, count: 8, durably: true), .flush, .capture(cut: 0, part: 0, of: 2),
            .write(unit: 0, count: 20, durably: false), .finishOldest, .write(unit: 8, count: 24, durably: false),
            .flush, .settle, .write(unit: 0, count: 40, durably: false), .flush,
        ],
        "three snapshots pending": [
            .write(unit: 0, count: 64, durably: false), .cut, .write(unit: 4, count: 30, durably: false), .cut,
            .write(unit: 10, count: 30, durably: false), .cut, .write(unit: 0, count: 64, durably: false),
            .capture(cut: 1, part: 0, of: 1), .finishOldest, .settle, .write(unit: 2, count: 9, durably: true),
            .finishOldest, .flush, .settle, .cancelNewest, .write(unit: 0, count: 64, durably: false), .settle, .flush,
        ],
        "cancel": [
            .write(unit: 0, count: 32, durably: true), .cut, .write(unit: 0, count: 17, durably: false), .flush,
            .cancelNewest, .write(unit: 0, count: 32, durably: false), .flush, .settle,
            .write(unit: 9, count: 9, durably: false), .cut, .flush,
        ],
        "close and reopen": [
            .write(unit: 0, count: 32, durably: false), .cut, .write(unit: 0, count: 8, durably: false),
            .reopen(newBoot: true), .write(unit: 8, count: 8, durably: false), .finishOldest, .reopen(newBoot: false),
            .write(unit: 16, count: 3, durably: false), .settle, .cut, .flush,
        ],
        "roll back": [
            .write(unit: 0, count: 64, durably: false), .cut, .finishOldest, .settle,
            .write(unit: 5, count: 40, durably: false), .flush, .rollBack(snapshot: 0, inPlace: true),
            .write(unit: 2, count: 3, durably: false), .read(unit: 0, count: 64), .hydrate, .cut,
            .write(unit: 0, count: 30, durably: false), .finishOldest, .settle,
            .rollBack(snapshot: 0, inPlace: false), .write(unit: 8, count: 8, durably: true), .flush, .hydrate,
        ],
        "re-base and grow": [
            .write(unit: 0, count: 64, durably: false), .cut, .finishOldest, .settle,
            .write(unit: 8, count: 8, durably: false), .cut, .finishOldest, .settle, .rebase,
            .write(unit: 16, count: 8, durably: false), .flush, .grow(units: 20),
            .write(unit: 530, count: 15, durably: true),
            .rebase, .cut, .grow(units: 9), .flush,
        ],
        "clean-up of a settled cut": [
            .write(unit: 0, count: 16, durably: true), .cut, .write(unit: 0, count: 16, durably: true), .finishOldest,
            .settle, .write(unit: 0, count: 16, durably: true), .cut, .write(unit: 3, count: 1, durably: true), .cut,
            .finishOldest, .finishOldest, .settle, .write(unit: 1, count: 14, durably: true), .flush,
        ],
    ]
    static let restored: [BenchStep] = [
        .write(unit: 3, count: 10, durably: false), .read(unit: 30, count: 100),
        .write(unit: 100, count: 1, durably: true),
        .zero(unit: 40, count: 30, mayPunch: true, durably: false), .flush, .cut,
        .write(unit: 100, count: 60, durably: false), .write(unit: 300, count: 1, durably: false), .hydrate,
        .write(unit: 200, count: 7, durably: false), .finishOldest, .settle, .flush,
    ]
    private static let units = 66 * 8 + 3

    /// Plays `steps` until the outage, recovers, goes on. Returns how many changes of the disk an undisturbed play makes.
    @discardableResult
    private func play(
        _ steps: [BenchStep], restored: Bool, at change: Int?, _ moment: DiskVerdict.Moment, _ outage: Bench.Outage,
        then next: [BenchStep]
    ) throws -> Int {
        let bench = Bench(units: Self.units, disk: SimulatedDisk(seed: UInt64(change ?? 0)))
        let isDown = Guarded(false)
        bench.disk.onOperation { operation in
            guard let change, operation.change == change else { return .proceed }
            isDown.withLock { $0 = true }
            return .outage(outage.verdict, moment)
        }
        var random = SeededRandom(seed: 11)
        let source = restored ? EngineModelTests.source(&random, units: Self.units, unit: 512) : nil
        do {
            try bench.start(from: source)
            for step in steps { try bench.run(step) }
        } catch  where isDown.withLock({ $0 }) {
            guard bench.volume != nil else {
                // Not open yet: either there is no volume, or it is whole.
                if try bench.disk.facts(Bench.directory + "/volume.json") == nil { return 0 }
                try bench.recover(from: outage)
                return 0
            }
        }
        if isDown.withLock({ $0 }) { try bench.recover(from: outage) }
        let made = bench.disk.changeCount
        for step in next { try bench.run(step) }
        try bench.check()
        try bench.finishEverything()
        return made
    }

    private static let after: [BenchStep] = [
        .write(unit: 1, count: 20, durably: false), .cut, .write(unit: 0, count: 12, durably: true), .settle,
        .capture(cut: 0, part: 0, of: 2), .write(unit: 4, count: 40, durably: false), .finishOldest, .settle, .flush,
    ]

    private func everywhere(_ name: String, _ steps: [BenchStep], restored: Bool) throws {
        let count = try play(steps, restored: restored, at: nil, .before, .kill, then: [])
        #expect(count > 20)
        let fresh = UInt64.random(in: 0...UInt64(UInt32.max))
        for change in stride(from: Int.random(in: 1...Seed.stride), through: count, by: Seed.stride) {
            for (moment, outage) in Self.outages(change, fresh: fresh) {
                do {
                    try play(steps, restored: restored, at: change, moment, outage, then: Self.after)
                } catch {
                    Issue.record("\(name): \(outage) \(moment) change \(change): \(error)")
                    return
                }
            }
        }
    }

    /// Which outages to try at one operation: three, or all with `VARVE_SIM_FULL=1`.
    private static func outages(_ change: Int, fresh: UInt64) -> [(DiskVerdict.Moment, Bench.Outage)] {
        let power = Bench.Outage.powerLoss(seed: fresh &+ UInt64(change))
        if !Seed.isThorough {
            return [(.before, .kill), (.before, power), change % 2 == 0 ? (.after, power) : (.halfway, .kill)]
        }
        let outages = [Bench.Outage.kill, .powerLoss(seed: UInt64(change)), power]
        return DiskVerdict.Moment.allCases.flatMap { moment in outages.map { (moment, $0) } }
    }

    @Test(
        "an outage at any disk operation loses nothing that was promised",
        arguments: EngineCrashTests.stories.keys.sorted())
    func everyOperation(_ name: String) throws {
        try everywhere(name, try #require(Self.stories[name]), restored: false)
    }

    @Test("an outage at any disk operation of a restored volume loses nothing that was promised")
    func restoredVolume() throws {
        try everywhere("restored", Self.restored, restored: true)
    }

    @Test("random histories survive outage after outage", arguments: Seed.some(fixed: 10, fresh: 20))
    func histories(_ seed: Seed) throws {
        var random = SeededRandom(seed: seed.number)
        let bench = Bench(units: Self.units, disk: SimulatedDisk(seed: seed.number))
        let source = random.oneIn(2) ? EngineModelTests.source(&random, units: Self.units, unit: 512) : nil
        try bench.start(from: source)
        for round in 0..<12 {
            let isDown = Guarded(false)
            let outage: Bench.Outage = random.oneIn(2) ? .kill : .powerLoss(seed: random.next())
            let moment = DiskVerdict.Moment.allCases[random.below(3)]
            let change = bench.disk.changeCount + 1 + random.below(120)
            bench.disk.onOperation { operation in
                guard operation.change == change else { return .proceed }
                isDown.withLock { $0 = true }
                return .outage(outage.verdict, moment)
            }
            do {
                while !isDown.withLock({ $0 }) {
                    try bench.run(.random(&random, units: bench.now.numbers.count, perBlock: 8))
                }
            } catch {
                #expect(isDown.withLock { $0 }, "\(error)\n\(bench.report)")
            }
            try bench.recover(from: outage)
            if round % 4 == 3 { try bench.finishEverything() }
        }
    }
}

internal import Simulation

/// A history: what happens, in order, from empty disk and store. Everything random in it comes from `seed`.
public struct History: Equatable, Sendable {
    /// Decides what power loss leaves, how the store fails, how large the first volume is.
    public var seed: UInt64
    /// What happens.
    public var steps: [Step]

    /// A history that somebody wrote down.
    public init(seed: UInt64, _ steps: [Step]) {
        self.seed = seed
        self.steps = steps
    }

    /// The history that belongs to a seed.
    public init(seed: UInt64) {
        var random = SeededRandom(seed: seed ^ 0x5eed)
        var steps: [Step] = []
        let count = 30 + random.below(60)
        let units = History.units(seed)
        while steps.count < count { steps += Step.some(&random, units: units) }
        self.init(seed: seed, steps)
    }

    /// Sectors of the first volume: about 40 blocks, the last one perhaps partial.
    static func units(_ seed: UInt64) -> Int { 32 * 8 + Int(seed % 100) }
    /// In one of four histories overlays may hold only a few blocks, so that pending snapshots are given up.
    static func overlayBlocks(_ seed: UInt64) -> Int? { seed % 4 == 1 ? 12 : nil }

    /// A test to paste into Tests/HistoryTests/RegressionTests.swift.
    public var asTest: String {
        let lines = steps.map { "            .\($0)," }.joined(separator: "\n")
        return """
                @Test("say what went wrong")
                func name() throws {
                    try History(
                        seed: \(seed),
                        [
            \(lines)
                        ]
                    ).play()
                }
            """
    }
}

extension Step {
    /// The next step or steps of a random history.
    static func some(_ random: inout SeededRandom, units: Int) -> [Step] {
        let disk = random.oneIn(3) ? random.below(3) : 0
        let (unit, count) = range(&random, units)
        switch random.below(120) {
        case 0..<30: return [.write(disk: disk, unit: unit, count: count, durably: random.oneIn(5))]
        case 30..<34: return [.zero(disk: disk, unit: unit, count: count, mayPunch: random.oneIn(2))]
        case 34..<37: return [.trim(disk: disk, unit: unit, count: count)]
        case 37..<41: return [.flush(disk: disk)]
        case 41..<43: return [.read(disk: disk, unit: unit, count: count)]
        case 43..<52: return [.cut(disk: disk)]
        case 52..<54: return [.groupCut]
        case 54..<66: return [.upload(disk: disk, calls: random.oneIn(3) ? 1 + random.below(10) : 0)]
        case 66..<70: return [.settle(disk: disk)]
        case 70..<72: return [.cancel(disk: disk)]
        case 72..<75: return [.hydrate(disk: disk)]
        case 75..<78: return [.rollBack(disk: disk, snapshot: random.below(8), inPlace: !random.oneIn(3))]
        case 78..<80: return [.clone(snapshot: random.below(8))]
        case 80..<82: return [.cloneFromPending(disk: disk)]
        case 82..<86: return [.delete(snapshot: random.below(8))]
        case 86..<87: return [.grow(disk: disk, units: 1 + random.below(40))]
        case 87..<88: return [.destroy(disk: 1 + random.below(3))]
        case 88..<90: return [.restart(newBoot: random.oneIn(2))]
        case 90..<98: return [outage(&random)]
        case 98..<101: return [.reclaim]
        case 101..<102: return [.recover]
        case 102..<103: return [.clock(seconds: [-100_000, -4000, -30, 4000, 100_000][random.below(5)])]
        case 103..<106: return [.pass(seconds: [1, 59, 600, 3700, 90_000][random.below(5)])]
        case 106..<110: return [.trouble(kind: random.below(5), calls: 1 + random.below(25))]
        case 110..<116:
            return [
                .straggler(
                    disk: disk, unit: unit, count: count, at: 1 + random.below(40), hold: random.below(4),
                    steps: 1 + random.below(3))
            ]
        default: return crossing(&random, disk, unit, count)
        }
    }

    /// A writer that is under way while a cut's overlay is settled and the next cut comes.
    private static func crossing(_ random: inout SeededRandom, _ disk: Int, _ unit: Int, _ count: Int) -> [Step] {
        let around = max(0, unit - random.below(9))
        return [
            .cut(disk: disk), .write(disk: disk, unit: around, count: count + 8, durably: false),
            .upload(disk: disk, calls: 0),
            .straggler(
                disk: disk, unit: unit, count: count, at: 1 + random.below(20), hold: 1 + random.below(3),
                steps: 2 + random.below(2)),
            .settle(disk: disk), .cut(disk: disk),
        ]
    }

    private static func outage(_ random: inout SeededRandom) -> Step {
        let at = random.oneIn(6) ? 0 : 1 + random.below(60)
        let again = random.oneIn(4) ? 1 + random.below(20) : 0
        let moment = random.below(3)
        if random.oneIn(2) { return .kill(at: at, moment: moment, again: again) }
        return .powerLoss(at: at, moment: moment, again: again, seed: random.below(1 << 20))
    }

    private static func range(_ random: inout SeededRandom, _ units: Int) -> (Int, Int) {
        let start = random.below(units)
        if random.oneIn(3) { return (start / 8 * 8, min(units - start / 8 * 8, (1 + random.below(4)) * 8)) }
        let longest = min(units - start, random.oneIn(6) ? 200 : 17)
        return (start, 1 + random.below(longest))
    }
}

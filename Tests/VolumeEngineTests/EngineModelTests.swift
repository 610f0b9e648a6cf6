import Blocks
import Simulation
import TestSupport
import Testing
import VolumeEngine

/// Random histories of one volume against an array of images; everything is compared after every few steps.
@Suite struct EngineModelTests {
    @Test("a volume and its snapshots are what the model says", arguments: Seed.some(fixed: 12, fresh: 12))
    func history(_ seed: Seed) throws {
        var random = SeededRandom(seed: seed.number)
        let unit = random.oneIn(2) ? 512 : 128
        let units = (70 * 4096 + 3 * 512) / unit
        let bench = Bench(units: units, unit: unit)
        try bench.start(from: random.oneIn(2) ? Self.source(&random, units: units, unit: unit) : nil)
        for number in 0..<160 {
            let step = BenchStep.random(&random, units: bench.now.numbers.count, perBlock: 4096 / unit)
            do { try bench.run(step) } catch {
                Issue.record("\(step) failed: \(error)\n\(bench.report)")
                return
            }
            if number % 3 == 0 { try bench.check() }
        }
        try bench.check()
    }

    /// An image with data in about half of its blocks, sometimes shorter than the volume.
    static func source(_ random: inout SeededRandom, units: Int, unit: Int) -> Stamps {
        let count = random.oneIn(3) ? units - random.below(units / 3) / (512 / unit) * (512 / unit) : units
        var stamps = Stamps(unit: unit, count: count)
        for block in 0..<stamps.blocks where random.oneIn(2) {
            for index in block * stamps.perBlock..<min(count, (block + 1) * stamps.perBlock) where !random.oneIn(4) {
                stamps.numbers[index] = 1_000_000 + UInt32(index)
            }
        }
        return stamps
    }
}

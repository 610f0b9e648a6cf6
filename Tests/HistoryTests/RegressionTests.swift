import Histories
import Testing

/// Histories that once broke a law, as the simulation shrank them.
@Suite struct RegressionTests {
    @Test("a few fresh histories keep every law")
    func fresh() throws {
        let seed = UInt64.random(in: 1...UInt64(UInt32.max)) << 20
        for number in seed..<seed + 20 { try History(seed: number).play() }
    }
}

internal import Glibc
public import Testing

/// Seeds for random tests: a few fixed ones, and fresh ones in every run.
///
/// A parameterised test shows its seed in its name, so a failure can be replayed: `VARVE_SEED=123 swift test --filter ...`
/// runs that seed alone. `VARVE_SEEDS=50` asks for that many fresh ones. `VARVE_TEST_SHARE=8` asks for an eighth of them,
/// and of what else goes through a great many cases: for runs under a sanitizer, which take ten times as long.
public struct Seed: Sendable, Hashable, CustomTestStringConvertible {
    /// The number to start a random generator with.
    public let number: UInt64

    /// A seed by its number.
    public init(_ number: UInt64) { self.number = number }
    /// "seed 123".
    public var testDescription: String { "seed \(number)" }

    /// `fixed` small seeds and `fresh` new ones; only `VARVE_SEED` if that is set.
    public static func some(fixed: Int, fresh: Int) -> [Seed] {
        if let one = setting("VARVE_SEED") { return [Seed(one)] }
        let freshCount = setting("VARVE_SEEDS").map(Int.init) ?? share(of: fresh)
        let known = (0..<share(of: fixed)).map { Seed(UInt64($0 + 1)) }
        return known + (0..<freshCount).map { _ in Seed(UInt64.random(in: 1000...UInt64(UInt32.max))) }
    }

    /// Does `VARVE_SIM_FULL=1` ask for everything, however long it takes?
    public static var isThorough: Bool { setting("VARVE_SIM_FULL") == 1 }

    /// One in how many cases `VARVE_TEST_SHARE` asks for; 1 unless it is set.
    public static var stride: Int { setting("VARVE_TEST_SHARE").map { max(1, Int(clamping: $0)) } ?? 1 }

    /// So many of `count` cases: all, or a share, but at least one.
    public static func share(of count: Int) -> Int { count == 0 ? 0 : max(1, count / stride) }

    private static func setting(_ name: String) -> UInt64? {
        guard let value = unsafe getenv(name) else { return nil }
        return UInt64(unsafe String(cString: value))
    }
}

internal import Blocks
internal import Glibc
internal import Histories

/// Plays random histories of engine and repository on a simulated disk, store and clock, and checks that they keep
/// their promises. See docs/testing.md.
@main struct Simulate {
    private static let usage = """
        usage: Simulate [--seed N]
        Plays fresh histories for VARVE_SIM_SECONDS (default 60), and until VARVE_SIM_OUTAGES (default 200) kills and power
        losses, on VARVE_SIM_THREADS threads (default: one per core). Exits with 1 if one broke a law: then it prints the
        history, shrunk (for at most VARVE_SIM_SHRINK seconds, default 60), as a test.
        --seed N replays the history of that seed alone.

        """

    static func main() {
        var arguments = CommandLine.arguments.dropFirst()
        var replay: UInt64?
        while let argument = arguments.popFirst() {
            guard argument == "--seed", let seed = arguments.popFirst().flatMap({ UInt64($0) }) else {
                Program.fail(usage, status: 2)
            }
            replay = seed
        }
        Trap.watch()
        if let replay { return self.replay(replay) }
        let first = UInt64.random(in: 1...UInt64(UInt32.max)) << 20
        let seconds = setting("VARVE_SIM_SECONDS", 60)
        let outages = setting("VARVE_SIM_OUTAGES", 200)
        say("histories from seed \(first) on, for \(seconds) s")
        let explorer = Explorer(from: first, for: .seconds(seconds), outages: outages) { Trap.note($0) }
        let (tally, failure) = explorer.run(threads: setting("VARVE_SIM_THREADS", Machine.coreCount))
        say(text(tally))
        if let failure { end(failure.history, failure.violation) }
        guard tally.kills + tally.powerLosses >= outages else {
            Program.fail(
                "only \(tally.kills + tally.powerLosses) kills and power losses, \(outages) wanted\n", status: 1)
        }
        say("no law was broken")
    }

    private static func replay(_ seed: UInt64) {
        Trap.note(seed)
        let history = History(seed: seed)
        for _ in 0..<3 {
            do { say(text(try history.play())) } catch {
                guard let violation = error as? Violation else { Program.fail("\(error)\n", status: 1) }
                end(history, violation)
            }
        }
        say("seed \(seed) breaks no law")
    }

    private static func end(_ history: History, _ violation: Violation) -> Never {
        say("\nFAILED: seed \(history.seed): \(violation)")
        say("replay it: .build/ground/debug/Simulate --seed \(history.seed)")
        let limit = Duration.seconds(setting("VARVE_SIM_SHRINK", 60))
        let (shrunk, found) = history.shrunk(violation.law, within: limit)
        if let found {
            say("\nshrunk from \(history.steps.count) to \(shrunk.steps.count) steps: \(found)")
        } else {
            say("\nit did not fail again: two threads must meet for it; all \(history.steps.count) steps:")
        }
        say(shrunk.asTest)
        exit(1)
    }

    private static func text(_ tally: Tally) -> String {
        """
        \(tally.histories) histories explored, \(tally.steps) steps: \(tally.kills) kills, \(tally.powerLosses) power losses, \
        \(tally.storeFaults) store faults, \(tally.uploads) uploads, \(tally.looks + tally.restores) snapshots checked \
        (\(tally.looks) pending, \(tally.restores) restored), \(tally.deletions) deletions, \(tally.reclaims) reclaims, \
        \(tally.givenUp) snapshots given up, \(tally.stragglers) writes across steps
        """
    }

    private static func setting(_ name: String, _ standard: Int) -> Int {
        guard let value = unsafe getenv(name) else { return standard }
        guard let number = Int(unsafe String(cString: value)), number >= 0 else {
            Program.fail("\(name) must be a number, 0 or more\n", status: 2)
        }
        return number
    }

    private static func say(_ text: String) {
        var text = text + "\n"
        text.withUTF8 { bytes in _ = unsafe write(1, bytes.baseAddress, bytes.count) }
    }
}

internal import Blocks

/// Whether to look for the next request for a while before going to sleep.
///
/// A client that waits for each answer sends its next request at once, and waking a thread for it takes longer than
/// answering: on a virtual machine several times as long. A thread that looks again and again instead answers sooner, as
/// long as it has a processor to itself; where it has not, it keeps its client from running. Which of the two it is cannot
/// be known, so it is measured: a stretch of requests that came one at a time asleep, a stretch looking, and the better is
/// kept. Every so often, and when looking became slower than sleeping was, it is measured anew.
///
/// A wait looks for ``lookMax`` at most: what the processor spends on a client that thinks longer is bounded by that.
struct Patience: ~Copyable {
    private static let lookMax = 60_000
    private static let stretch = 128
    /// So many times in a stretch, several requests may be in hand at once.
    private static let mixedMax = 16
    /// Slower turns have their time from somewhere else.
    private static let turnMax = 200_000
    private static let restMax = 256
    private static let keepMax = 256

    private enum Stage { case asleep, trial, looking }

    private let mayPay: Bool
    private let now: () -> Int
    private var stage = Stage.asleep
    private var (turns, mixed, begun) = (0, 0, 0)
    /// Nanoseconds from one request to the next, in the last stretch asleep.
    private var asleepTurn = 0
    /// Stretches to let pass before the next trial; after the next failed one so many.
    private var (rest, nextRest) = (0, 1)
    /// Stretches until sleeping is measured again.
    private var keep = 0
    private var waitBegun = 0

    /// `now`: nanoseconds of a clock that only runs forward.
    init(mayPay: Bool = Machine.coreCount > 1, now: @escaping () -> Int = { Machine.nanoseconds() }) {
        self.mayPay = mayPay
        self.now = now
    }

    /// Is looking what is done now?
    var isLooking: Bool { stage != .asleep }

    /// A wait begins.
    mutating func begin() { if isLooking { waitBegun = now() } }

    /// Is another look worth it?
    func looksAgain() -> Bool { isLooking && now() - waitBegun < Self.lookMax }

    /// A wait ended with so many requests that were then carried out; `othersInFlight`: others were under way.
    mutating func note(_ requests: Int, othersInFlight: Bool) {
        guard mayPay, requests > 0 else { return }
        if turns == 0, mixed == 0 { begun = now() }
        if requests > 1 || othersInFlight {
            mixed += 1
            if mixed > Self.mixedMax {
                stage = .asleep
                (turns, mixed) = (0, 0)
            }
            return
        }
        turns += 1
        guard turns == Self.stretch else { return }
        let turn = (now() - begun) / turns
        (turns, mixed) = (0, 0)
        stretchEnded(turn)
    }

    private mutating func stretchEnded(_ turn: Int) {
        switch stage {
        case .asleep:
            asleepTurn = turn
            if rest > 0 {
                rest -= 1
            } else if turn < Self.turnMax {
                stage = .trial
            }
        case .trial:
            if turn * 10 <= asleepTurn * 9 {
                (stage, keep, nextRest) = (.looking, Self.keepMax, 1)
            } else {
                (stage, rest, nextRest) = (.asleep, nextRest, min(nextRest * 2, Self.restMax))
            }
        case .looking:
            keep -= 1
            if keep == 0 || turn > asleepTurn { stage = .asleep }
        }
    }
}

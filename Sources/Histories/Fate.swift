internal import Blocks
internal import Glibc
internal import ObjectStore
internal import Simulation

/// What is going to happen to the process: sees every call of disk and store, on whatever thread makes it.
final class Fate: Sendable {
    struct Outage: Sendable {
        /// The seed of a power loss; nil: a kill.
        var powerLoss: UInt64?
        /// Changes from now.
        var at: Int
        var moment: DiskVerdict.Moment
        var again: Int

        var verdict: DiskVerdict.Outage { powerLoss.map { .powerLoss(seed: $0) } ?? .kill }
    }
    struct Trouble: Sendable {
        var kind: Int
        var left: Int
        var seed: UInt64
    }
    private struct State: Sendable {
        var outage: Outage?
        var isDown: Outage?
        var trouble: Trouble?
        /// Calls of the store until it goes away for this upload.
        var callsLeft: Int?
        var storeCalls = 0
        var faults = 0
        /// Calls of the disk, other than the straggler's.
        var calls = 0
        var straggler: Straggler?
    }
    private let state = Guarded(State())
    private let disk: SimulatedDisk
    private let seed: UInt64

    init(_ disk: SimulatedDisk, seed: UInt64) {
        self.disk = disk
        self.seed = seed
        disk.onOperation { [weak self] in self?.meet($0) ?? .proceed }
    }

    // MARK: For the world

    /// Has the process died?
    var down: Outage? { state.withLock { $0.isDown } }
    /// How many calls of the store went wrong so far.
    var faults: Int { state.withLock { $0.faults } }
    var calls: Int { state.withLock { $0.calls } }

    func arm(_ outage: Outage) {
        if outage.at <= 0 { return goDown(outage) }
        state.withLock { $0.outage = outage }
    }
    /// A new process starts. `again`: it dies too, so many changes from now.
    func revive(again: Outage?) {
        state.withLock { state in
            state.isDown = nil
            state.outage = again
            state.trouble = nil
            state.callsLeft = nil
            state.straggler = nil
        }
    }
    func disarm() { state.withLock { $0.outage = nil } }
    func trouble(kind: Int, calls: Int) {
        state.withLock { $0.trouble = Trouble(kind: kind, left: calls, seed: seed &+ UInt64($0.storeCalls)) }
    }
    func limitStore(to calls: Int?) { state.withLock { $0.callsLeft = calls } }
    func arm(_ straggler: Straggler?) { state.withLock { $0.straggler = straggler } }

    /// Runs `body` with a store that works.
    func quietly<R>(_ body: () throws -> R) rethrows -> R {
        let (trouble, limit) = state.withLock { ($0.trouble, $0.callsLeft) }
        state.withLock { ($0.trouble, $0.callsLeft) = (nil, nil) }
        defer { state.withLock { ($0.trouble, $0.callsLeft) = (trouble, limit) } }
        return try body()
    }

    private func goDown(_ outage: Outage) {
        state.withLock { state in
            state.isDown = outage
            state.outage = nil
        }
        switch outage.verdict {
        case .kill: disk.kill()
        case .powerLoss(let seed): disk.losePower(seed: seed)
        }
    }

    // MARK: The disk

    private func meet(_ operation: DiskOperation) -> DiskVerdict {
        let straggler = state.withLock { $0.straggler }
        if let straggler, straggler.isMine {
            straggler.pass(self)
            return .proceed
        }
        let (outage, mustStart) = state.withLock { state -> (Outage?, Bool) in
            state.calls += 1
            if operation.kind.isChange, let outage = countDown(&state) { return (outage, false) }
            return (nil, state.straggler?.isDue ?? false)
        }
        if let outage { return .outage(outage.verdict, outage.moment) }
        if mustStart { straggler?.meet(self) }
        return .proceed
    }

    private func countDown(_ state: inout State) -> Outage? {
        guard var outage = state.outage, state.isDown == nil else { return nil }
        outage.at -= 1
        state.outage = outage
        guard outage.at <= 0 else { return nil }
        state.outage = nil
        state.isDown = outage
        return outage
    }

    // MARK: The store

    /// What becomes of a call of the store.
    func fault(_ call: FaultyStore.Call) -> FaultyStore.Fault? {
        let (fault, outage) = state.withLock { state -> (FaultyStore.Fault?, Outage?) in
            state.storeCalls += 1
            if state.isDown != nil { return (.permanent, nil) }
            if call.operation != .get, call.operation != .list, call.operation != .size,
                let outage = countDown(&state)
            {
                // Before the call: it never reaches the store. After it: nobody hears of it.
                return (outage.moment == .before ? .permanent : .lostResponse, outage)
            }
            if let left = state.callsLeft {
                state.callsLeft = left - 1
                if left <= 0 {
                    state.faults += 1
                    return (.permanent, nil)
                }
            }
            let fault = trouble(&state, call)
            if fault != nil { state.faults += 1 }
            return (fault, nil)
        }
        if let outage { goDown(outage) }
        return fault
    }

    private func trouble(_ state: inout State, _ call: FaultyStore.Call) -> FaultyStore.Fault? {
        guard var trouble = state.trouble, trouble.kind % 5 != 4, trouble.left > 0 else { return nil }
        trouble.left -= 1
        state.trouble = trouble
        var random = SeededRandom(seed: trouble.seed ^ UInt64(trouble.left))
        switch trouble.kind % 5 {
        case 0: return .permanent
        case 3: return nil
        default:
            let isRead = call.operation == .get
            switch random.below(trouble.kind % 5 == 2 && isRead ? 6 : 5) {
            case 0, 1: return .transient
            case 2: return .lostResponse
            case 3: return isRead ? .truncatedRead : .transient
            case 4: return nil
            default: return .flippedBit
            }
        }
    }

    /// How long a call takes.
    func delay() -> Duration {
        state.withLock { state in
            guard var trouble = state.trouble, trouble.kind % 5 == 4, trouble.left > 0 else { return .zero }
            trouble.left -= 1
            state.trouble = trouble
            state.faults += 1
            var random = SeededRandom(seed: trouble.seed ^ UInt64(trouble.left))
            return .seconds(1 << random.below(13))
        }
    }

    /// How old a listing is.
    func lag() -> Int {
        state.withLock { state in
            guard let trouble = state.trouble, trouble.kind % 5 == 3, trouble.left > 0 else { return 0 }
            state.faults += 1
            var random = SeededRandom(seed: trouble.seed ^ UInt64(trouble.left))
            return random.below(6)
        }
    }
}

/// Which thread this is.
enum ThisThread {
    static var number: UInt { UInt(pthread_self()) }
}

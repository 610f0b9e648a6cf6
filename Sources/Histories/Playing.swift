internal import Blocks
internal import Simulation

/// What was done, for the end of a run.
public struct Tally: Sendable {
    /// Histories played.
    public var histories = 0
    /// Their steps.
    public var steps = 0
    /// Processes that died by kill -9.
    public var kills = 0
    /// Machines that lost power.
    public var powerLosses = 0
    /// Snapshots uploaded, deleted; restored and compared; given up for want of space.
    public var uploads = 0, deletions = 0, restores = 0, givenUp = 0
    /// Looks at pending snapshots, each compared as a whole.
    public var looks = 0
    /// Calls of the store that went wrong, while it was away for an upload included.
    public var storeFaults = 0
    /// Reclaims, and writes that met something from another thread.
    public var reclaims = 0, stragglers = 0

    /// Nothing yet.
    public init() {}

    mutating func note(_ outage: Fate.Outage) {
        if outage.powerLoss == nil { kills += 1 } else { powerLosses += 1 }
    }
    /// Adds another's.
    public mutating func add(_ other: Tally) {
        histories += other.histories
        steps += other.steps
        kills += other.kills
        powerLosses += other.powerLosses
        uploads += other.uploads
        deletions += other.deletions
        restores += other.restores
        looks += other.looks
        storeFaults += other.storeFaults
        givenUp += other.givenUp
        reclaims += other.reclaims
        stragglers += other.stragglers
    }
}

extension History {
    /// Plays it.
    ///
    /// - Throws: ``Violation`` if a law was broken.
    @discardableResult
    public func play() throws -> Tally {
        let world: World
        do { world = try World(self) } catch { throw Violation(.disk, "the world cannot be made: \(error)") }
        let current = world.repository
        world.whereabouts.state.withLock { $0.repository = current }
        var position = 0
        do {
            while position < steps.count {
                try world.attempt(steps[position])
                if position % 3 == 2 { try world.checkAlive() }
                position += 1
            }
            try world.finish()
        } catch {
            _ = world.flight?.straggler.land()
            var violation = error as? Violation ?? Violation(.disk, "something failed for no reason: \(error)")
            violation.step = position
            throw violation
        }
        world.tally.histories = 1
        world.tally.steps = steps.count
        world.tally.storeFaults = world.fate.faults
        return world.tally
    }
}

extension World {
    /// A step, and what follows if the process dies in it.
    func attempt(_ step: Step) throws {
        do { try run(step) } catch {
            guard fate.down != nil else { throw error }
        }
        if let outage = fate.down { try recover(from: outage) }
    }

    /// A check, and what follows if the process dies in it.
    func checkAlive() throws {
        do { try check() } catch {
            guard fate.down != nil else { throw error }
        }
        if let outage = fate.down { try recover(from: outage) }
    }
}

/// One thing that happens in a history. Every step makes sense at any time: what it names is taken modulo what there is,
/// and without that it does nothing. So a failing history stays playable when steps are taken out.
///
/// Units are sectors of 512 bytes; `disk` is the position of a volume, `snapshot` that of a committed snapshot.
public enum Step: Equatable, Sendable {
    case write(disk: Int, unit: Int, count: Int, durably: Bool)
    case zero(disk: Int, unit: Int, count: Int, mayPunch: Bool)
    case trim(disk: Int, unit: Int, count: Int)
    case read(disk: Int, unit: Int, count: Int)
    case flush(disk: Int)
    case cut(disk: Int)
    /// All volumes at one instant.
    case groupCut
    /// Uploads the oldest pending snapshot; the store goes away after `calls` calls (0: it stays).
    case upload(disk: Int, calls: Int)
    /// The engine hears that the oldest committed snapshot is committed.
    case settle(disk: Int)
    /// The newest pending snapshot.
    case cancel(disk: Int)
    case hydrate(disk: Int)
    case rollBack(disk: Int, snapshot: Int, inPlace: Bool)
    /// A new volume from a committed snapshot, or from the newest pending one of a volume.
    case clone(snapshot: Int)
    case cloneFromPending(disk: Int)
    case delete(snapshot: Int)
    case grow(disk: Int, units: Int)
    case destroy(disk: Int)
    /// A clean stop and start; `newBoot`: of the machine.
    case restart(newBoot: Bool)
    /// The process dies at the `at`-th change of disk or store from here (0: now), and once more, that many changes into its
    /// recovery (0: not). `moment`: 0 before the change, 1 half way, 2 after it.
    case kill(at: Int, moment: Int, again: Int)
    case powerLoss(at: Int, moment: Int, again: Int, seed: Int)
    case reclaim
    /// Compares what the store alone tells with what there must be.
    case recover
    /// Moves the wall clock, by an administrator's hand, in either direction.
    case clock(seconds: Int)
    /// Time passes.
    case pass(seconds: Int)
    /// The next `calls` calls of the store go wrong, most of them, in ways that `kind` tells: 0 away; 1 failures, lost
    /// answers, short bodies; 2 also wrong bits; 3 old listings; 4 it takes seconds to hours.
    case trouble(kind: Int, calls: Int)
    /// A write by another thread that begins at the `at`-th call of the disk from here and is held at its own `hold`-th
    /// call (0: not) until `steps` further steps have ended, or nothing moves any more.
    case straggler(disk: Int, unit: Int, count: Int, at: Int, hold: Int, steps: Int)
}

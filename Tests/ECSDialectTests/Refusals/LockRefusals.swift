import Blocks
import ControlPlane
import Simulation
import TestSupport

@testable import ECSDialect

/// Locks that are not put on, not taken off, and what they hold.
enum LockRefusals {
    static let table = RefusalTable(
        "locks",
        in: {
            let clock = ManualClock()
            let door = try await ECSDoor { plan in
                plan.clock = clock
                plan.scrubEvery = nil
            }
            let disk = try await door.makeDisk()
            let free = try await door.makeSnapshot(of: disk), locked = try await door.makeSnapshot(of: disk)
            let brief = try await door.makeSnapshot(of: disk, ["RetentionDays": "2"])
            let lock = ["SnapshotId": locked, "LockMode": "compliance", "LockDuration": "2"]
            _ = try await door.ask("LockSnapshot", lock).fields["LockedSnapshotInfo"]
            return Scene(door, ["free": free, "locked": locked, "brief": brief])
        }, locks + held)

    private static func lock(
        _ situation: String, _ change: [String: String], _ status: Int, _ code: String, _ message: String
    ) -> Refusal {
        let usual = ["SnapshotId": "{free}", "LockMode": "compliance", "LockDuration": "2"]
        return Refusal(situation, "LockSnapshot", usual.merging(change) { $1 }, status, code, message)
    }

    private static let locks =
        ["0", "36501", "x"].map { days in
            lock(
                "for \(days) days", ["LockDuration": days], 400, "InvalidLockDuration.Malformed",
                "The specified LockDuration is not valid.")
        }
        + ["-1", "73", "48", "x"].map { hours in
            lock(
                "cooling off for \(hours) hours", ["CoolOffPeriod": hours], 400, "InvalidCoolOffPeriod.Malformed",
                "The specified CoolOffPeriod is not valid.")
        } + [
            lock("no such snapshot", ["SnapshotId": "s-x"], 404, "InvalidSnapshotId.NotFound", Words.noSnapshot),
            lock("no mode", ["LockMode": ""], 400, "MissingParameter", Words.missing("LockMode")),
            lock("another mode", ["LockMode": "governance"], 400, "InvalidParameter", Words.parameter("LockMode")),
            lock("no days", ["LockDuration": ""], 400, "MissingParameter", Words.missing("LockDuration")),
            lock(
                "longer than it is kept", ["SnapshotId": "{brief}", "LockDuration": "3"], 400,
                "InvalidLockDuration.Malformed", "The specified LockDuration is not valid."),
            lock(
                "shorter than it was", ["SnapshotId": "{locked}", "LockDuration": "1"], 403,
                "InvalidOperation.SnapshotIsLocked", words("it can only be prolonged")),
        ]

    private static let held = [
        Refusal(
            "not locked", "UnlockSnapshot", ["SnapshotId": "{free}"], 403, "OperationDenied",
            "the snapshot {free} is not locked"),
        Refusal(
            "it does not cool off", "UnlockSnapshot", ["SnapshotId": "{locked}"], 403,
            "InvalidOperation.SnapshotIsLocked", words("that cannot be taken back")),
        Refusal(
            "to be deleted", "DeleteSnapshot", ["SnapshotId": "{locked}"], 403, "InvalidOperation.SnapshotIsLocked",
            words("it cannot be deleted before")),
        Refusal(
            "101 ids", "DescribeLockedSnapshots", Words.list("SnapshotIds.N", 101), 400, "InvalidParameter",
            Words.parameter("SnapshotIds")),
    ]

    private static func words(_ consequence: String) -> String {
        "the snapshot {locked} is locked (compliance) until 2027-01-17T08:00:00.000Z: \(consequence)"
    }
}

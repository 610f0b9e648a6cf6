public import Blocks

/// That a snapshot is in the archive, or was there.
public struct TierRecord: Equatable, Sendable {
    /// What was done last.
    public enum Operation: String, Sendable, CaseIterable {
        /// It was put into the archive.
        case archival
        /// It was taken out until a time.
        case temporaryRestore = "temporary-restore"
        /// It was taken out for good.
        case permanentRestore = "permanent-restore"
    }

    /// What was done last.
    public var operation: Operation
    /// When that was.
    public var beganAt: WallTime
    /// When it last went into the archive.
    public var archivedAt: WallTime
    /// When it is in the archive again; nil: it is not taken out for a time.
    public var restoredUntil: WallTime?

    /// Makes one of what goes into the archive at a time.
    public init(archivedAt time: WallTime) {
        operation = .archival
        beganAt = time
        archivedAt = time
    }

    /// Nil for a row of what never was in the archive.
    init?(_ row: SQLRow) throws(CatalogFailure) {
        guard try row.optionalText("tier_operation") != nil else { return nil }
        operation = try row.word("tier_operation", as: Operation.self)
        beganAt = try row.time("tier_began_at")
        archivedAt = try row.time("archived_at")
        restoredUntil = try row.optionalTime("restore_until")
    }

    /// Is it in the archive at a time? The clock alone ends a restore, whoever sees to the rest of that, and when.
    public func isArchived(at now: WallTime) -> Bool {
        switch operation {
        case .archival: true
        case .temporaryRestore: restoredUntil.map { $0 <= now } ?? true
        case .permanentRestore: false
        }
    }
}

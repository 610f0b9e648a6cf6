public import Blocks
internal import Catalog

/// That a snapshot is in the archive, or was there. The JSON of the native API has exactly these names.
public struct SnapshotTierView: Codable, Equatable, Sendable {
    /// What was done last.
    public enum Operation: String, Codable, Sendable, CaseIterable {
        /// It was put into the archive, by its owner or because a restore was over.
        case archival
        /// It was taken out until a time.
        case temporaryRestore = "temporary-restore"
        /// It was taken out for good.
        case permanentRestore = "permanent-restore"
    }

    /// Is it in the archive, and not to be used?
    public var isArchived: Bool
    /// What was done last.
    public var operation: Operation
    /// When that was.
    public var beganAt: WallTime
    /// When it last went into the archive.
    public var archivedAt: WallTime
    /// When it goes back into the archive; nil: it is not out of it for a time.
    public var restoredUntil: WallTime?
}

extension SnapshotTierView {
    init(_ record: TierRecord, at now: WallTime) {
        // What the clock has ended counts as done then, until that is recorded too.
        let record = record.isArchived(at: now) ? record.ended : record
        self.init(
            isArchived: record.operation == .archival, operation: Operation(record.operation),
            beganAt: record.beganAt, archivedAt: record.archivedAt, restoredUntil: record.restoredUntil)
    }
}

extension SnapshotTierView.Operation {
    init(_ operation: TierRecord.Operation) {
        self =
            switch operation {
            case .archival: .archival
            case .temporaryRestore: .temporaryRestore
            case .permanentRestore: .permanentRestore
            }
    }
}

extension TierRecord {
    /// As it is once its restore is over.
    var ended: TierRecord { restoredUntil.map { TierRecord(archivedAt: $0) } ?? self }
}

extension SnapshotRecord {
    /// Refuses what is in the archive, or out of it for a time: an image that can be launched must not hold it.
    func mustBeUsableForGood(at now: WallTime) throws {
        try mustNotBeArchived(at: now)
        guard let tier, tier.operation == .temporaryRestore else { return }
        throw ServiceError(
            .wrongState, .snapshot,
            "the snapshot \(id) goes back into the archive: restore it from there for good first")
    }

    /// Refuses what is in the archive: nothing can be made of it, and nobody reads it, until it is restored.
    func mustNotBeArchived(at now: WallTime) throws {
        guard let tier, tier.isArchived(at: now) else { return }
        throw ServiceError(
            .wrongState, .snapshot, "the snapshot \(id) is in the archive: restore it from there first")
    }
}

extension CatalogSession {
    /// Before an image is to be launched again: refuses if a disk of it is in the archive, or will be.
    func mustBeUsable(disksOfImage id: String, at now: WallTime) throws {
        for snapshot in try disks(ofImage: id).compactMap(\.snapshotID) {
            try self.snapshot(snapshot)?.mustBeUsableForGood(at: now)
        }
    }
}

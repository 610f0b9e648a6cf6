internal import Blocks
internal import Catalog

extension SnapshotView {
    /// What the desks and, read after them, the catalog say of a snapshot, put together (``Household/courses``).
    init(_ courses: [String: UploadCourse], _ record: SnapshotRecord, _ export: AttachmentRecord?, _ house: Household) {
        let state: State =
            switch record.state {
            case .creating, .pending: .pending
            case .completed: .completed
            case .error: .error
            }
        self.init(
            id: record.id, ownerId: record.account, volumeId: record.isOfNoVolume ? Self.noVolume : record.volumeID,
            state: state,
            createdAt: record.createdAt,
            volumeSizeBytes: record.volumeSize.bytes, progress: state == .completed ? 1 : 0)
        parentId = record.parentID
        groupId = record.groupID
        reason = record.reason
        completedAt = record.completedAt
        changedBytes = record.changed?.bytes
        storedBytes = record.stored?.bytes
        fullBytes = record.full?.bytes
        encrypted = record.dataKey != nil
        keyId = record.keyID
        dataKeyId = record.dataKey
        releaseAt = record.releaseAt
        hasInstantAccess = record.hasInstantAccess
        consistency = record.consistency.map { Consistency($0) }
        name = record.name
        description = record.description
        uri = export.map { house.exports.uri(of: $0.objectID) }
        copyOf = record.copy.map { CopyOrigin(region: $0.region, snapshotId: $0.source) }
        tier = record.tier.map { SnapshotTierView($0, at: house.clock.now()) }
        guard state == .pending, let upload = courses[record.id] else { return }
        progress = upload.fraction
        remainingSeconds = upload.remaining.map { Int($0.components.seconds) }
        reason = upload.problem.map { "waiting: \($0)" }
    }
}

extension Consistency {
    init(_ recorded: SnapshotRecord.Consistency) {
        self =
            switch recorded {
            case .fileSystem: .fileSystem
            case .application: .application
            }
    }
    var recorded: SnapshotRecord.Consistency? {
        switch self {
        case .crash: nil
        case .fileSystem: .fileSystem
        case .application: .application
        }
    }
}

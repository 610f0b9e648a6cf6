internal import Blocks
internal import ControlPlane

/// Snapshots in Amazon's words.
enum SnapshotWords {
    static func state(_ snapshot: SnapshotView) -> String {
        switch snapshot.state {
        case .pending: "pending"
        case .completed: "completed"
        case .error: "error"
        }
    }

    /// `43%`; nothing in the answer that makes it.
    static func progress(_ snapshot: SnapshotView) -> String {
        snapshot.state == .completed ? "100%" : "\(min(99, Int(snapshot.progress * 100)))%"
    }

    /// Of a copy under way Amazon tells nothing yet that it takes from the source.
    private static func isCopying(_ snapshot: SnapshotView) -> Bool {
        snapshot.copyOf != nil && snapshot.state == .pending
    }

    private static func size(_ snapshot: SnapshotView) -> Int {
        isCopying(snapshot) ? 0 : VolumeWords.gibibytes(snapshot.volumeSizeBytes)
    }

    /// The elements of CreateSnapshot's answer, and with `isDescribed` those of DescribeSnapshots, in Amazon's order.
    static func write(_ snapshot: SnapshotView, isDescribed: Bool, into writer: inout XMLWriter) {
        writer.add("snapshotId", snapshot.id)
        writer.add("volumeId", snapshot.volumeId)
        writer.add("status", state(snapshot))
        writer.add("startTime", snapshot.createdAt.description)
        writer.add("progress", isDescribed ? progress(snapshot) : "")
        writer.add("ownerId", snapshot.ownerId)
        writer.add("volumeSize", size(snapshot))
        writer.add("description", snapshot.description ?? "")
        writer.add("encrypted", snapshot.encrypted && !isCopying(snapshot))
        writer.add(tags: snapshot.allTags, evenIfEmpty: !isDescribed)
        writer.add("storageTier", tier(snapshot))
        if isDescribed {
            writer.add("transferType", "standard")
            writer.add("completionTime", snapshot.completedAt?.description)
            writer.add("fullSnapshotSizeInBytes", snapshot.fullBytes)
        }
        if isCopying(snapshot) {
            writer.add("statusMessage", "Metadata not updated")
        } else {
            writer.add("kmsKeyId", snapshot.keyId)
            if isDescribed { writer.add("dataEncryptionKeyId", snapshot.dataKeyId) }
        }
        if snapshot.state == .error { writer.add("statusMessage", snapshot.reason) }
        if isDescribed { writer.add("restoreExpiryTime", snapshot.tier?.restoredUntil?.description) }
    }

    /// An item of CreateSnapshots' answer, which calls some things otherwise.
    static func writeMember(_ snapshot: SnapshotView, into writer: inout XMLWriter) {
        writer.add("description", snapshot.description ?? "")
        writer.add(tags: snapshot.allTags, evenIfEmpty: true)
        writer.add("encrypted", snapshot.encrypted)
        writer.add("volumeId", snapshot.volumeId)
        writer.add("state", state(snapshot))
        writer.add("volumeSize", VolumeWords.gibibytes(snapshot.volumeSizeBytes))
        writer.add("startTime", snapshot.createdAt.description)
        writer.add("progress", "")
        writer.add("ownerId", snapshot.ownerId)
        writer.add("snapshotId", snapshot.id)
    }

    /// What a filter of DescribeSnapshots compares with.
    static func values(of filter: String, _ snapshot: SnapshotView) -> [String] {
        switch filter {
        case "description": [snapshot.description ?? ""]
        case "encrypted": [String(snapshot.encrypted && !isCopying(snapshot))]
        case "owner-id": [snapshot.ownerId]
        case "progress": [progress(snapshot)]
        case "snapshot-id": [snapshot.id]
        case "start-time": [snapshot.createdAt.description]
        case "status": [state(snapshot)]
        case "storage-tier": [tier(snapshot)]
        case "transfer-type": ["standard"]
        case "volume-id": [snapshot.volumeId]
        case "volume-size": [String(size(snapshot))]
        default: []
        }
    }

    static let filters: Set<String> = [
        "description", "encrypted", "owner-alias", "owner-id", "progress", "snapshot-id", "start-time", "status",
        "storage-tier", "tag:", "tag-key", "tag-value", "transfer-type", "volume-id", "volume-size",
    ]
}

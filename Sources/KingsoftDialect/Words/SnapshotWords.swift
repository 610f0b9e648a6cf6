internal import Blocks
internal import ControlPlane

/// What the words for snapshots need to know of other things, asked once for all snapshots of an answer.
struct SnapshotSurroundings: Sendable {
    let volumes: [String: VolumeView]
    let around: VolumeSurroundings
    /// Snapshots that images have.
    let inImages: Set<String>
    let zone: String

    init(_ call: KingsoftCall) async throws {
        around = try await VolumeSurroundings(call)
        let present = try await call.verbs.volumes.list().filter { $0.state != .deleting }
        volumes = Dictionary(present.map { ($0.id, $0) }) { first, _ in first }
        let images = try await call.verbs.images.list().filter { $0.ownerId == call.caller.account }
        inImages = Set(images.flatMap { $0.disks.compactMap(\.snapshotId) })
        zone = call.region.zones[0].name
    }
}

/// Snapshots in Kingsoft's words.
enum SnapshotWords {
    static func state(_ snapshot: SnapshotView) -> String {
        switch snapshot.state {
        case .pending: snapshot.hasInstantAccess ? "available" : "creating"
        case .completed: "available"
        case .error: "error"
        }
    }

    /// `43%`, and `100%` of one that is available.
    static func progress(_ snapshot: SnapshotView) -> String {
        isAvailable(snapshot) ? "100%" : "\(min(99, Int(snapshot.progress * 100)))%"
    }

    /// Can volumes be made of it, and rolled back to it?
    static func isAvailable(_ snapshot: SnapshotView) -> Bool { state(snapshot) == "available" }

    /// Its own, or one made of its id: clients find snapshots by it, so each has one.
    static func name(of snapshot: SnapshotView, _ uuid: String) -> String {
        snapshot.name ?? "snapshot-" + uuid.prefix(8)
    }

    /// A snapshot as lists have it; nil for one that has no name in this cloud.
    static func fields(_ snapshot: SnapshotView, _ around: SnapshotSurroundings) -> KingsoftFields? {
        guard let id = KingsoftID.uuid(snapshot.id, .snapshot) else { return nil }
        let volume = around.volumes[snapshot.volumeId]
        return .with { fields in
            fields.add("SnapshotId", id)
            fields.add("SnapshotName", name(of: snapshot, id))
            fields.add("SnapshotDesc", snapshot.description ?? "")
            fields.add("VolumeId", KingsoftID.uuid(snapshot.volumeId, .volume) ?? "")
            fields.add("Size", VolumeTypes.gibibytes(snapshot.volumeSizeBytes))
            fields.add("CreateTime", KingsoftTime.text(snapshot.createdAt))
            fields.add("SnapshotStatus", state(snapshot))
            fields.add("SnapshotType", SnapshotTypes.word(snapshot.hasInstantAccess))
            fields.add("VolumeCategory", around.around.category(snapshot.volumeId))
            fields.add("VolumeName", volume.map(VolumeWords.name) ?? "")
            fields.add("VolumeType", volume.map(VolumeTypes.type) ?? "")
            fields.add("VolumeStatus", volume.map { VolumeWords.state($0.state) } ?? "deleted")
            fields.add("Progress", progress(snapshot))
            fields.add("AvailabilityZone", volume?.zone ?? around.zone)
            fields.add("AutoSnapshot", snapshot.policy != nil)
            fields.add("ScheduledDeleteTime", snapshot.releaseAt.map(KingsoftTime.text))
            fields.add("ImageRelated", around.inImages.contains(snapshot.id))
        }
    }
}

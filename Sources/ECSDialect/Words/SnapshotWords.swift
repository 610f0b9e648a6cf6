internal import Blocks
internal import ControlPlane

/// Snapshots in Alibaba's words.
enum SnapshotWords {
    static func status(_ snapshot: SnapshotView) -> String {
        switch snapshot.state {
        case .pending: "progressing"
        case .completed: "accomplished"
        case .error: "failed"
        }
    }

    /// Can it be used? From the cut on, unless it is a copy under way.
    static func isAvailable(_ snapshot: SnapshotView) -> Bool {
        switch snapshot.state {
        case .completed: true
        case .pending: snapshot.copyOf == nil && snapshot.volumeId != SnapshotView.noVolume
        case .error: false
        }
    }

    static func progress(_ snapshot: SnapshotView) -> String {
        // 100 % is said when it is safely stored, and not before.
        let percent = snapshot.state == .completed ? 100 : min(99, Int(snapshot.progress * 100))
        return "\(percent)%"
    }

    /// Days from when it was made until it is deleted by itself; nil: never.
    static func retentionDays(_ snapshot: SnapshotView) -> Int? {
        (snapshot.releaseAt ?? snapshot.policy?.expiresAt).map { time in
            let seconds = Int((time - snapshot.createdAt).components.seconds)
            return max(1, (seconds + 43_200) / 86_400)
        }
    }

    /// Those that policies take have names of this cloud's kind, with the day in UTC+8; what its owner called otherwise has that.
    static func name(_ snapshot: SnapshotView) -> String {
        let name = snapshot.name ?? ""
        guard let policy = snapshot.policy.flatMap({ ECSID.name($0.policyId, .policy) }), name.hasPrefix("auto-") else {
            return name
        }
        let day = (snapshot.createdAt + .seconds(8 * 3600)).description.prefix(10).filter { $0 != "-" }
        return "auto2.0_\(day)_\(policy)"
    }

    static func type(_ snapshot: SnapshotView) -> String { snapshot.policy == nil ? "user" : "auto" }

    static func category(_ snapshot: SnapshotView) -> String {
        snapshot.tier?.isArchived == true ? "archive" : "standard"
    }

    /// `none`, `disk`, `image` or `image_disk`.
    static func usage(_ snapshot: SnapshotView, _ use: SnapshotUse) -> String {
        switch (use.images.contains(snapshot.id), use.disks.contains(snapshot.id)) {
        case (false, false): "none"
        case (false, true): "disk"
        case (true, false): "image"
        case (true, true): "image_disk"
        }
    }

    /// An item of `Snapshots.Snapshot`.
    static func write(_ snapshot: SnapshotView, _ use: SnapshotUse, _ call: ECSCall) -> ECSValue {
        var fields = ECSFields()
        let disk = ECSID.name(snapshot.volumeId, .disk)
        fields.add("SnapshotId", ECSID.name(snapshot.id, .snapshot) ?? snapshot.id)
        fields.add("SnapshotName", name(snapshot))
        fields.add("Description", snapshot.description ?? "")
        fields.add("Status", status(snapshot))
        fields.add("Progress", progress(snapshot))
        fields.add("RemainTime", snapshot.state == .pending ? max(1, snapshot.remainingSeconds ?? 1) : 0)
        fields.add("Available", isAvailable(snapshot))
        fields.add("InstantAccess", false)
        fields.add("SourceDiskId", disk ?? "")
        fields.add("SourceDiskSize", String(Gibibytes.of(snapshot.volumeSizeBytes)))
        fields.add("SourceDiskType", use.systemDisks.contains(snapshot.volumeId) ? "system" : "data")
        fields.add("SourceStorageType", "disk")
        fields.add("SnapshotType", type(snapshot))
        fields.add("Usage", usage(snapshot, use))
        fields.add("Category", category(snapshot))
        fields.add("CreationTime", snapshot.createdAt.ecs)
        fields.add("LastModifiedTime", (snapshot.completedAt ?? snapshot.createdAt).ecs)
        fields.add("RetentionDays", retentionDays(snapshot))
        fields.add("Encrypted", snapshot.encrypted)
        fields.add("KMSKeyId", snapshot.keyId ?? "")
        fields.add("ResourceGroupId", use.groups.name(of: snapshot.id))
        fields.add("RegionId", call.region.name)
        fields.add("SnapshotLinkId", ECSID.name(snapshot.volumeId, .chain) ?? "")
        fields.add("SourceSnapshotId", snapshot.copyOf.flatMap { ECSID.name($0.snapshotId, .snapshot) })
        fields.add("SourceRegionId", snapshot.copyOf?.region)
        fields.add("ProductCode", "")
        fields.add("FullSnapshotSizeInBytes", snapshot.fullBytes)
        Tags.write(snapshot.tags, into: &fields)
        return fields.value
    }
}

/// What is made of snapshots, which of their disks instances start from, and which resource groups they are in: read once for a
/// whole list.
struct SnapshotUse {
    let groups: ResourceGroups
    var disks: Set<String> = []
    var images: Set<String> = []
    var systemDisks: Set<String> = []

    init(_ call: ECSCall) async throws {
        groups = try await ResourceGroups(call)
        for volume in try await call.verbs.volumes.list() where volume.state != .deleting {
            if let origin = volume.originSnapshotId { disks.insert(origin) }
            if DiskWords.isSystem(volume.attachment?.device) { systemDisks.insert(volume.id) }
        }
        for image in try await call.verbs.images.list() {
            images.formUnion(image.disks.compactMap(\.snapshotId))
        }
    }
}

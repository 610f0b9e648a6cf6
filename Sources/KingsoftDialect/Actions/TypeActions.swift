internal import Blocks
internal import ControlPlane

extension KingsoftDialect {
    static let typeActions: [KingsoftAction] = [
        .change(.ebs, "ModifyVolumeType", modifyVolumeType),
        .change(.ebs, "ModifyVolumePreset", modifyPreset),
        .change(.ebs, "ModifySnapshotType", modifySnapshotType),
        .look(.ebs, "GetUpgradeVolumeTypeProcessInfo", knows: ["VolumeId"]) { call in
            let ids = call.parameters.list("VolumeId").map { $0.lowercased() }
            guard !ids.isEmpty else { throw KingsoftFailure.required("VolumeId") }
            let known = try await call.verbs.volumes.list().compactMap { KingsoftID.uuid($0.id, .volume) }
            return .with { fields in fields.add("Result", known.filter { ids.contains($0) }.map(upgrade)) }
        },
    ]

    /// A volume is of its new type as soon as that was asked for.
    private static func upgrade(_ volume: String) -> KingsoftFields {
        .with { one in
            one.add("VolumeId", volume)
            one.add(
                "Process",
                .with { process in
                    process.add("PrepareProcess", 100)
                    process.add("LatestDataProcess", 100)
                    process.add("PrepareDone", true)
                    process.add("LatestDataDone", true)
                    process.add("EstimatedDuring", 0)
                })
        }
    }

    /// Makes local snapshots common ones; a common one stays as it is.
    private static let modifySnapshotType: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let uuids = call.parameters.list("SnapshotIds") + (call.parameters["SnapshotId"].map { [$0] } ?? [])
        guard !uuids.isEmpty else { throw KingsoftFailure.required("SnapshotIds") }
        guard uuids.count <= 100 else { throw KingsoftFailure.wrong("SnapshotIds", "At most 100 are allowed.") }
        var ids: [String] = []
        for uuid in uuids {
            guard let id = KingsoftID.id(uuid, .snapshot) else { throw KingsoftFailure.noSnapshot }
            let snapshot = try await call.verbs.snapshots.find(id)
            guard snapshot.ownerId == call.caller.account else { throw KingsoftFailure.noSnapshot }
            // All of them, or none.
            guard snapshot.state == .completed || !snapshot.hasInstantAccess else {
                throw KingsoftFailure(
                    .snapshotStatusError, "The snapshot \(uuid.lowercased()) is still being stored: try again later.")
            }
            ids.append(id)
        }
        try call.dryRun()
        var change = ModifySnapshot()
        change.hasInstantAccess = false
        for id in ids { _ = try await call.verbs.snapshots.modify(id, change) }
        return .with { $0.add("Result", true) }
    }

    /// From a volume of the older types to one of the ESSD levels.
    private static let modifyVolumeType: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let levels = VolumeTypes.all.filter { $0.hasPrefix("ESSD_") }
        let level = try call.parameters.word("PerformanceLevelVolumeCategory", of: levels) ?? "ESSD_PL1"
        let asked = try call.parameters.number("PerformanceVolumeSize", in: 1...65_536)
        let volume = try await call.volume(), present = VolumeTypes.gibibytes(volume.sizeBytes)
        try mustBeReady(volume)
        guard !levels.contains(volume.profile.kind) else {
            throw KingsoftFailure.wrong("VolumeId", "It is of type \(volume.profile.kind) already.")
        }
        guard let kind = VolumeKind.named(level) else {
            throw KingsoftFailure.required("PerformanceLevelVolumeCategory")
        }
        let size = asked ?? present
        guard size >= present, kind.gibibytes.contains(size) else {
            throw KingsoftFailure.wrong(
                "PerformanceVolumeSize",
                "It is \(size); \(max(present, kind.gibibytes.lowerBound)) to \(kind.gibibytes.upperBound) are allowed."
            )
        }
        try call.dryRun()
        _ = try await call.verbs.volumes.modify(
            volume.id, ModifyVolume(size: .gibibytes(size), profile: VolumeProfile(kind: level)))
        return KingsoftFields()
    }

    private static let modifyPreset: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        guard call.parameters["ProvisionedIops"] != nil else { throw KingsoftFailure.required("ProvisionedIops") }
        let volume = try await call.volume()
        try mustBeReady(volume)
        guard let kind = VolumeKind.named(volume.profile.kind), kind == .essdAutoPL else {
            throw KingsoftFailure.wrong("VolumeId", "It is not of type \(VolumeKind.essdAutoPL.name).")
        }
        let changed = try profile(kind, VolumeTypes.gibibytes(volume.sizeBytes), call.parameters)
        try call.dryRun()
        _ = try await call.verbs.volumes.modify(volume.id, ModifyVolume(profile: changed))
        return .done
    }
}

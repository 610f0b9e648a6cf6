internal import Blocks
internal import ControlPlane

extension EC2Dialect {
    static let binActions = [
        EC2Action("ListSnapshotsInRecycleBin", isChange: false) { call in
            try call.dryRun()
            let wanted = call.parameters.list("SnapshotId")
            for id in wanted { _ = try EC2Identifier.snapshot(id) }
            let paging = try Paging(call, ids: wanted.isEmpty ? nil : "snapshotIdsSet")
            let binned = try await call.verbs.bin.list().snapshots
            let found = try those(wanted, of: binned, by: \.id, else: EC2Identifier.noSnapshot)
            let page = paging.page(of: found, call) { $0.object.id }
            return .elements { writer in
                writer.list("snapshotSet", page.items) { writer, one in
                    writer.add("snapshotId", one.object.id)
                    writer.add("recycleBinEnterTime", one.enteredAt.description)
                    writer.add("recycleBinExitTime", one.leavesAt.description)
                    writer.add("description", one.object.description ?? "")
                    writer.add("volumeId", one.object.volumeId)
                }
                writer.add("nextToken", page.next)
            }
        },
        EC2Action("RestoreSnapshotFromRecycleBin", isChange: true) { call in
            let id = try EC2Identifier.snapshot(call.parameters["SnapshotId"])
            guard try await call.verbs.bin.holds(id) else { throw EC2Identifier.noSnapshot(id) }
            try call.dryRun()
            let restored: SnapshotView
            do { restored = try await call.verbs.bin.restoreSnapshot(id) } catch let error as ServiceError {
                throw gone(error) ? EC2Identifier.noSnapshot(id) : error
            }
            return .elements { writer in
                writer.add("snapshotId", restored.id)
                writer.add("description", restored.description ?? "")
                writer.add("encrypted", restored.encrypted)
                writer.add("ownerId", restored.ownerId)
                writer.add("progress", SnapshotWords.progress(restored))
                writer.add("startTime", restored.createdAt.description)
                writer.add("status", SnapshotWords.state(restored))
                writer.add("volumeId", restored.volumeId)
                writer.add("volumeSize", VolumeWords.gibibytes(restored.volumeSizeBytes))
                writer.add("sseType", restored.encrypted ? "sse-kms" : "none")
            }
        },
        EC2Action("ListVolumesInRecycleBin", isChange: false) { call in
            try call.dryRun()
            let wanted = call.parameters.list("VolumeId")
            for id in wanted where !EC2Identifier.isForm(id, prefix: "vol-") { throw EC2Identifier.noVolume(id) }
            let paging = try Paging(call, ids: wanted.isEmpty ? nil : "volumeIdsSet", atMost: 500)
            let binned = try await call.verbs.bin.list().volumes
            let found = try those(wanted, of: binned, by: \.id, else: EC2Identifier.noVolume)
            let page = paging.page(of: found, call) { $0.object.id }
            return .elements { writer in
                writer.list("volumeSet", page.items) { write($1, call, into: &$0) }
                writer.add("nextToken", page.next)
            }
        },
        EC2Action("RestoreVolumeFromRecycleBin", isChange: true) { call in
            let id = try EC2Identifier.volume(call)
            guard try await call.verbs.bin.holds(id) else { throw EC2Identifier.noVolume(id) }
            try call.dryRun()
            do { _ = try await call.verbs.bin.restoreVolume(id) } catch let error as ServiceError {
                throw gone(error) ? EC2Identifier.noVolume(id) : error
            }
            return .done
        },
    ]

    /// Those that are asked for by id; all, without ids.
    static func those<Object>(
        _ wanted: [String], of binned: [Binned<Object>], by id: KeyPath<Object, String>,
        else none: (String) -> EC2Failure
    ) throws(EC2Failure) -> [Binned<Object>] {
        let known = Set(binned.map { $0.object[keyPath: id] })
        if let unknown = wanted.first(where: { !known.contains($0) }) { throw none(unknown) }
        return wanted.isEmpty ? binned : binned.filter { wanted.contains($0.object[keyPath: id]) }
    }

    /// The tag that Amazon puts on what is in the bin.
    static let binTag = Tag(key: "aws:recycle-bin:resource-in-bin", value: "true")

    /// It left the bin just now.
    private static func gone(_ error: ServiceError) -> Bool { error.code == .missing || error.code == .wrongState }

    private static func write(_ binned: Binned<VolumeView>, _ call: EC2Call, into writer: inout XMLWriter) {
        let volume = binned.object
        writer.add("volumeId", volume.id)
        writer.add("volumeType", volume.profile.kind)
        writer.add("state", VolumeWords.state(volume.state))
        writer.add("size", VolumeWords.gibibytes(volume.sizeBytes))
        writer.add("iops", volume.profile.iops)
        writer.add("throughput", volume.profile.throughput)
        writer.add("availabilityZone", volume.zone)
        writer.add("availabilityZoneId", call.region.zone(volume.zone)?.id)
        writer.add("snapshotId", volume.originSnapshotId ?? "")
        writer.add("operator") { writer in
            writer.add("managed", false)
            writer.add("hiddenByDefault", false)
        }
        writer.add("createTime", volume.createdAt.description)
        writer.add("recycleBinEnterTime", binned.enteredAt.description)
        writer.add("recycleBinExitTime", binned.leavesAt.description)
    }
}

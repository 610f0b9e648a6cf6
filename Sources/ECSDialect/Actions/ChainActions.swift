internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let chainActions = [
        ECSAction(
            "DescribeSnapshotLinks", isChange: false,
            lacks: "TotalSize counts what changed from snapshot to snapshot, deleted ones' share not", describeLinks),
        ECSAction(
            "DescribeSnapshotsUsage", isChange: false, lacks: "SnapshotSize counts likewise"
        ) { call in
            let all = try await call.verbs.snapshots.list()
            return .of { fields in
                fields.add("SnapshotCount", all.count)
                fields.add("SnapshotSize", all.reduce(0) { $0 + ($1.changedBytes ?? 0) })
            }
        },
        ECSAction("DescribeSnapshotPackage", isChange: false) { call in
            let page = try ECSPages(call).page(of: [SnapshotView](), call) { ($0.createdAt, $0.id) }
            return .of { fields in
                page.write(into: &fields)
                fields.add("SnapshotPackages", listOf: "SnapshotPackage", [])
            }
        },
    ]

    private static let describeLinks: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let badLinks = ECSFailure(400, "InvalidSnapshotLinkIds", "The specified snapshotLinkIds is invalid.")
        let badDisks = ECSFailure(400, "InvalidDiskIds", "The specified diskIds is invalid.")
        let links = try parameters.array("SnapshotLinkIds", orElse: badLinks)?.compactMap { ECSID.native($0, .chain) }
        let disks = try parameters.array("DiskIds", orElse: badDisks)?.compactMap { ECSID.native($0, .disk) }
        let volumes = Dictionary(try await call.verbs.volumes.list().map { ($0.id, $0) }) { first, _ in first }
        let host = parameters["InstanceId"].map { ECSID.native($0, .instance) ?? "" }
        let pages = try ECSPages(call)
        let all = try await call.verbs.snapshots.list().filter { $0.volumeId != SnapshotView.noVolume }
        let chains = Dictionary(grouping: all) { $0.volumeId }.filter { id, _ in
            links?.contains(id) ?? true && disks?.contains(id) ?? true
                && host.map { host in volumes[id]?.attachments.contains { $0.host == host } == true } ?? true
        }
        let page = pages.page(of: chains.map { (id: $0.key, snapshots: $0.value) }, call) { chain in
            (chain.snapshots[0].createdAt, chain.id)
        }
        return .of { fields in
            page.write(into: &fields)
            fields.add(
                "SnapshotLinks", listOf: "SnapshotLink",
                page.items.map { chain in
                    let volume = volumes[chain.id]
                    return ECSFields.of { item in
                        item.add("SnapshotLinkId", ECSID.name(chain.id, .chain))
                        item.add("RegionId", call.region.name)
                        item.add("InstanceId", volume.flatMap { DiskWords.instance($0) } ?? "")
                        item.add("InstanceName", "")
                        item.add("SourceDiskId", ECSID.name(chain.id, .disk))
                        item.add("SourceDiskName", volume?.name ?? "")
                        item.add("SourceDiskSize", Gibibytes.of(chain.snapshots.last?.volumeSizeBytes ?? 0))
                        item.add("SourceDiskType", volume.map { DiskWords.type($0) } ?? "data")
                        item.add("InstantAccess", false)
                        item.add("Category", "standard")
                        item.add("TotalSize", chain.snapshots.reduce(0) { $0 + ($1.changedBytes ?? 0) })
                        item.add("TotalCount", chain.snapshots.count)
                    }.value
                })
        }
    }
}

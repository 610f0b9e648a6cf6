internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let chainActions = [
        ECSAction(
            "DescribeSnapshotLinks", isChange: false,
            lacks: "TotalSize counts what changed from snapshot to snapshot, deleted ones' share not",
            noRegion: ECSFailure(400, "InvalidRegionId", "The specified regionId is invalid."), describeLinks),
        ECSAction(
            "DescribeSnapshotsUsage", isChange: false, lacks: "SnapshotSize counts likewise",
            noRegion: ECSFailure(403, "InvalidParam.RegionId", "The specified region is not exist.")
        ) { call in
            let all = try await call.verbs.snapshots.list()
            return .of { fields in
                fields.add("SnapshotCount", all.count)
                fields.add("SnapshotSize", all.reduce(0) { $0 + ($1.changedBytes ?? 0) })
            }
        },
        ECSAction(
            "DescribeSnapshotMonitorData", isChange: false,
            lacks: "a point for each full hour, whatever the Period; Category is ignored", describeMonitorData),
        ECSAction("DescribeSnapshotPackage", isChange: false) { call in
            let page = try ECSPages(call).page(of: [SnapshotView](), call) { ($0.createdAt, $0.id) }
            return .of { fields in
                page.write(into: &fields)
                fields.add("SnapshotPackages", listOf: "SnapshotPackage", [])
            }
        },
    ]

    /// Points of one answer.
    private static let pointsMax = 400

    private static let describeMonitorData: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let start = try time("StartTime", call), end = try time("EndTime", call)
        if let period = try call.parameters.number("Period"), ![60, 600, 3600].contains(period) {
            throw ECSFailure.parameter("Period")
        }
        guard start <= end else { throw ECSFailure.parameter("EndTime") }
        guard end - start <= .seconds(pointsMax * 3600) else {
            throw ECSFailure(
                400, "InvalidParameter.TooManyDataQueried",
                "Too many data queried: at most \(pointsMax) hours at once are allowed.")
        }
        let points = try await call.verbs.usage.snapshotBytes(from: start, to: end)
        return .of { fields in
            fields.add(
                "MonitorData", listOf: "DataPoint",
                points.map { point in
                    ECSFields.of {
                        $0.add("TimeStamp", point.time.ecs)
                        $0.add("Size", point.bytes)
                    }.value
                })
        }
    }

    /// With seconds, which round up to the minute, or without.
    private static func time(_ name: String, _ call: ECSCall) throws(ECSFailure) -> WallTime {
        let text = try call.parameters.needed(name)
        guard let time = WallTime(text) ?? WallTime(String(text.dropLast()) + ":00Z") else { throw .parameter(name) }
        return WallTime(milliseconds: (time.milliseconds + 59_999) / 60_000 * 60_000)
    }

    private static func ids(
        _ name: String, _ kind: ECSID.Kind, _ parameters: ECSParameters, orElse failure: ECSFailure
    ) throws(ECSFailure) -> [String]? {
        guard let names = try parameters.array(name, orElse: failure) else { return nil }
        guard names.count <= 100 else { throw failure }
        return names.compactMap { ECSID.native($0, kind) }
    }

    private static let describeLinks: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let badLinks = ECSFailure(400, "InvalidSnapshotLinkIds", "The specified snapshotLinkIds is invalid.")
        let badDisks = ECSFailure(400, "InvalidDiskIds", "The specified diskIds is invalid.")
        let links = try ids("SnapshotLinkIds", .chain, parameters, orElse: badLinks)
        let disks = try ids("DiskIds", .disk, parameters, orElse: badDisks)
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

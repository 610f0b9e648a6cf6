internal import Blocks
internal import ControlPlane

extension KingsoftDialect {
    static let snapshotActions: [KingsoftAction] = [
        .change(.ebs, "CreateSnapshot", createSnapshot),
        .look(
            .ebs, "DescribeSnapshots",
            knows: [
                "VolumeId", "VolumeCategory", "SnapshotId", "AvailabilityZone", "SnapshotName", "PageNumber",
                "PageSize",
                "InstanceId",
            ], describeSnapshots),
        .change(.ebs, "DeleteSnapshot", deleteSnapshot),
        .change(.ebs, "RollbackSnapshot", rollBack),
        .change(.ebs, "ModifySnapshot", modifySnapshot),
    ]

    /// Snapshots of one volume that nobody but its policies may go beyond.
    private static let manualMax = 64

    private static let createSnapshot: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let name = try Names.snapshot(call), description = try Names.description("SnapshotDesc", call)
        let isLocal = try SnapshotTypes.isLocal("SnapshotType", call.parameters) ?? false
        let volume = try await call.volume()
        try mustBeReady(volume)
        var request = CreateSnapshot(volume: volume.id, name: name, description: description)
        request.hasInstantAccess = isLocal
        request.token = try call.token()
        request.release = try release(call).map { .at($0) }
        request.terms.refusedKinds = VolumeTypes.withoutSnapshots
        request.terms.pendingMax = 1
        request.terms.keptMax = manualMax
        try call.dryRun()
        let made = try await call.verbs.snapshots.create(request)
        return .with { $0.add("SnapshotId", KingsoftID.uuid(made.id, .snapshot)) }
    }

    /// When it is to be deleted by itself, by the clock of Beijing.
    private static func release(_ call: KingsoftCall) throws(KingsoftFailure) -> WallTime? {
        guard let text = call.parameters["ScheduledDeleteTime"] else { return nil }
        guard let time = KingsoftTime.time(text) else {
            throw .wrong("ScheduledDeleteTime", "It is a time of Beijing, UTC+8, as in 2026-11-21T09:32:14.")
        }
        guard time > call.now else {
            throw .wrong("ScheduledDeleteTime", "\(text.shortened) of Beijing, UTC+8, has passed.")
        }
        return time
    }

    private static let modifySnapshot: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        var change = ModifySnapshot()
        change.name = try Names.snapshot(call)
        change.description = try Names.description("SnapshotDesc", call)
        let snapshot = try await call.snapshot()
        guard snapshot.ownerId == call.caller.account else { throw KingsoftFailure.noSnapshot }
        guard change.name != nil || change.description != nil else { throw KingsoftFailure.required("SnapshotName") }
        try call.dryRun()
        _ = try await call.verbs.snapshots.modify(snapshot.id, change)
        return .done
    }

    private static let describeSnapshots: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let page = try call.parameters.number("PageNumber", in: 1...1_000_000_000) ?? 1
        let size = min(1000, try call.parameters.number("PageSize", in: 1...Int.max) ?? 10)
        let filter = try SnapshotFilter(call.parameters)
        let around = try await SnapshotSurroundings(call)
        var selection = SnapshotSelection()
        selection.owners = [call.caller.account]
        selection.volumes = filter.volumes
        let shown = try await call.verbs.snapshots.all(selection)
            .filter { filter.matches($0, around) }
            .sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
            .compactMap { SnapshotWords.fields($0, around) }
        let first = min(shown.count, (page - 1) * size), last = min(shown.count, first + size)
        return .with { fields in
            fields.add("Snapshots", Array(shown[first..<last]))
            fields.add(
                "Page",
                .with { one in
                    one.add("pageNumber", page)
                    one.add("pageSize", size)
                    one.add("totalCount", shown.count)
                    one.add("totalPage", (shown.count + size - 1) / size)
                    one.add("hasNext", last < shown.count)
                    one.add("hasPrevious", page > 1)
                })
            fields.add("TotalCount", shown.count)
        }
    }

    private static let deleteSnapshot: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let snapshot = try await call.snapshot()
        guard snapshot.ownerId == call.caller.account else { throw KingsoftFailure.noSnapshot }
        try call.dryRun()
        try await call.verbs.snapshots.delete(snapshot.id)
        return .done
    }

    private static let rollBack: @Sendable (KingsoftCall) async throws -> KingsoftFields = { call in
        let volume = try await call.volume()
        let snapshot = try await call.availableSnapshot(uuid: call.parameters.required("SnapshotId"))
        guard snapshot.volumeId == volume.id else {
            throw KingsoftFailure(.volumeSnapshotMismatch, "The snapshot was taken of another volume.")
        }
        try mustBeReady(volume)
        let others = try await call.verbs.snapshots.list(of: volume.id)
        guard !others.contains(where: { $0.state == .pending && !SnapshotWords.isAvailable($0) }) else {
            throw KingsoftFailure(
                .snapshotCreatingConflict, "A snapshot of the volume is being created: wait until it is available.")
        }
        try call.dryRun()
        _ = try await call.verbs.volumes.rollBack(volume.id, to: snapshot.id)
        return .done
    }
}

/// Which snapshots are asked for. With a volume or a snapshot nothing else counts; an id that nobody has is no error.
struct SnapshotFilter {
    private let volume: String?
    private let snapshot: String?
    private let category: String?
    private let zone: String?
    private let name: String?
    private let instance: String?

    /// The control plane's ids of the volumes whose snapshots are meant; nil: any.
    var volumes: [String]? { volume.map { [KingsoftID.id($0, .volume)].compactMap(\.self) } }

    init(_ parameters: KingsoftParameters) throws(KingsoftFailure) {
        volume = parameters["VolumeId"]?.lowercased()
        snapshot = parameters["SnapshotId"]?.lowercased()
        category = try parameters.word("VolumeCategory", of: ["system", "data"])
        zone = parameters["AvailabilityZone"]
        name = parameters["SnapshotName"]
        instance = parameters["InstanceId"]?.lowercased()
    }

    func matches(_ one: SnapshotView, _ around: SnapshotSurroundings) -> Bool {
        let uuid = KingsoftID.uuid(one.id, .snapshot) ?? ""
        if volume != nil || snapshot != nil {
            return (volume == nil || KingsoftID.uuid(one.volumeId, .volume) == volume)
                && (snapshot == nil || uuid == snapshot)
        }
        let host = around.volumes[one.volumeId]?.attachment?.host
        if let instance, host.flatMap({ KingsoftID.uuid($0, .instance) }) != instance { return false }
        if let category, around.around.category(one.volumeId) != category { return false }
        if let zone, (around.volumes[one.volumeId]?.zone ?? around.zone) != zone { return false }
        return name == nil || SnapshotWords.name(of: one, uuid) == name
    }
}

internal import Blocks
internal import ControlPlane

extension ECSDialect {
    static let groupActions = [
        ECSAction("CreateSnapshotGroup", isChange: true, createSnapshotGroup),
        ECSAction(
            "DescribeSnapshotGroups", isChange: false, lacks: "InstanceId and ProgressStatus are empty",
            describeSnapshotGroups),
        ECSAction("ModifySnapshotGroup", isChange: true, modifySnapshotGroup),
        ECSAction(
            "DeleteSnapshotGroup", isChange: true, lacks: "the order of what is deleted", deleteSnapshotGroup),
        ECSAction("ResetDisks", isChange: true, resetDisks),
    ]

    private static let groupMax = 16

    private static let createSnapshotGroup: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let name = try groupName(parameters), text = try groupWords(parameters)
        let tags = try Tags.read(parameters), group = try ResourceGroups.wanted(call)
        let token = try token(call)
        let volumes = try await members(call)
        guard volumes.count <= groupMax else {
            throw ECSFailure(
                403, "NumberExceed.TooManyDisks", "The number of all disks in the request exceeds.")
        }
        guard volumes.reduce(0, { $0 + Gibibytes.of($1.sizeBytes) }) <= 32 * 1024 else {
            throw ECSFailure(
                403, "CapacityExceed.TooManyDisks", "The capacity of all disks in the request exceeds.")
        }
        if let other = volumes.first(where: { !DiskCategory(of: $0).isESSDFamily }) {
            throw ECSFailure(
                400, "DiskCategory.OperationNotSupported",
                "The operation is not supported to the specified disk due to its disk category.",
                logged: "\(other.id) is of another family")
        }
        guard !volumes.contains(where: \.isShared) else {
            throw ECSFailure(
                403, "InvalidOperation.MultiAttachDisk", "Multi attach disk does not support this operation.")
        }
        guard Set(volumes.map { DiskCategory(of: $0).isRegional }).count == 1 else {
            throw ECSFailure(
                403, "InvalidDisk.DiskCategoryInconsistent",
                "If any specified disk is of a regional disk category, then all disks must also be of that regional disk "
                    + "category.")
        }
        guard Set(volumes.map(\.zone)).count == 1 else {
            throw ECSFailure(
                400, "InvalidDiskIds.NotInSameZone", "The specified disks are not in the same availability zone.")
        }
        guard volumes.allSatisfy({ $0.state == .available || $0.state == .inUse }) else { throw ECSFailure.diskStatus }
        guard volumes.allSatisfy(\.wasAttached) else { throw neverAttached }
        guard !volumes.contains(where: \.isShared) else { throw shared }
        try call.dryRun()
        var terms = terms(of: volumes)
        terms.refusesShared = true
        let made: [SnapshotView]
        do {
            made = try await call.verbs.snapshots.createGroup(
                of: volumes.map(\.id), name: name, description: text, tags: tags, terms: terms,
                groupTags: tags,
                resourceGroup: group, token: token)
        } catch let error as ServiceError {
            if error.code == .wrongState, error.noun == .attachment { throw neverAttached }
            if error.code == .unsupported { throw shared }
            if error.rate != nil { throw ECSFailure.snapshotsThrottled }
            guard error.code == .limitExceeded, error.quota == nil || error.quota == .pendingPerVolume else {
                throw error
            }
            throw tooManyPending(try await fullest(of: volumes, call))
        }
        return .of { $0.add("SnapshotGroupId", made.first?.groupId.flatMap { ECSID.name($0, .group) }) }
    }

    private static let shared = ECSFailure(
        403, "InvalidOperation.MultiAttachDisk", "Multi attach disk does not support this operation.")

    /// The disk of which most snapshots are under way.
    private static func fullest(of volumes: [VolumeView], _ call: ECSCall) async throws -> VolumeView {
        var fullest = volumes[0], most = 0
        for volume in volumes {
            let count = try await call.verbs.volumes.show(volume.id).pendingSnapshotIds.count
            if count > most { (fullest, most) = (volume, count) }
        }
        return fullest
    }

    private static func groupName(_ parameters: ECSParameters) throws(ECSFailure) -> String? {
        let malformed = ECSFailure(400, "InvalidParameter.Name", "The specified Name is invalid.")
        let name = try Names.name("Name", parameters, orElse: malformed)
        guard name?.hasPrefix("auto") != true else { throw malformed }
        return name
    }

    private static func groupWords(_ parameters: ECSParameters) throws(ECSFailure) -> String? {
        guard let text = parameters["Description"] else { return nil }
        guard (2...256).contains(text.unicodeScalars.count), !Names.isURL(text) else {
            throw ECSFailure(400, "InvalidParameter.Description", "The specified Description is invalid.")
        }
        return text
    }

    /// The disks that are named, or all of an instance's but for some.
    private static func members(_ call: ECSCall) async throws -> [VolumeView] {
        let parameters = call.parameters
        let names = parameters.list("DiskId"), left = parameters.list("ExcludeDiskId")
        guard names.isEmpty || left.isEmpty else {
            throw ECSFailure(
                400, "InvalidParam.ExcludeDiskIdsAndDiskIds.Conflict",
                "The use of parameter 'ExcludeDiskIds' and 'DiskIds' at the same time is not supported.")
        }
        guard Set(names).count == names.count else { throw ECSFailure.parameter("DiskId") }
        let instance = try await parameters["InstanceId"] == nil ? nil : call.instance()
        let missing = ECSFailure(404, "InvalidDiskId.NotFound", "The specified DiskId does not exist.")
        guard names.isEmpty else {
            var volumes: [VolumeView] = []
            for name in names {
                let volume = try await call.disk(named: name, orElse: missing)
                if let instance, !volume.attachments.contains(where: { $0.host == instance.id }) { throw missing }
                volumes.append(volume)
            }
            return volumes
        }
        guard let instance else {
            throw ECSFailure(400, "MissingParamter.InstanceId", "The specified InstanceId should not be null.")
        }
        let excluded = Set(left.compactMap { ECSID.native($0, .disk) })
        let wanted = instance.disks.filter { !excluded.contains($0.volumeId) }
        guard !wanted.isEmpty else {
            throw ECSFailure(403, "InvalidInstance.NoDisk", "There is no disk mounted on the instance.")
        }
        var volumes: [VolumeView] = []
        for disk in wanted { volumes.append(try await call.verbs.volumes.show(disk.volumeId)) }
        return volumes
    }

    /// A group, of what of it is left.
    struct SnapshotGroup {
        let id: String
        let members: [SnapshotView]
        let tags: [String: String]?
        let name: String?
        let description: String?

        /// - Parameter known: nil: it is from before groups had names of their own; it is called as its first snapshot is.
        init(_ id: String, _ members: [SnapshotView], _ known: SnapshotGroupView?) {
            self.id = id
            self.members = members.sorted { $0.volumeId < $1.volumeId }
            tags = known?.tags
            name = known.map(\.name) ?? self.members.first?.name
            description = known.map(\.description) ?? self.members.first?.description
        }
    }

    /// The account's groups.
    static func snapshotGroups(_ call: ECSCall) async throws -> [SnapshotGroup] {
        let known = try await call.verbs.snapshots.groups()
        let all = try await call.verbs.snapshots.list().filter { $0.groupId != nil }
        return Dictionary(grouping: all) { $0.groupId ?? "" }.map { SnapshotGroup($0, $1, known[$0]) }
    }

    private static let describeSnapshotGroups: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let parameters = call.parameters
        let ids = parameters.list("SnapshotGroupId"), states = parameters.list("Status")
        guard ids.count <= 10 else { throw ECSFailure.parameter("SnapshotGroupId") }
        let disks: Set<String>?
        do {
            disks = try await parameters["InstanceId"] == nil ? nil : Set(call.instance().disks.map(\.volumeId))
        } catch is ECSFailure { disks = nil }
        let tags = try Tags.filter(parameters), resourceGroup = try ResourceGroups.filter(call)
        let pages = try ECSPages(call)
        let use = try await SnapshotUse(call)
        let found = try await snapshotGroups(call).filter { group in
            (ids.isEmpty || ids.contains(ECSID.name(group.id, .group) ?? ""))
                && (states.isEmpty || states.contains(status(group.members)))
                && parameters["Name"].map { $0 == group.name } ?? true
                && (parameters["InstanceId"] == nil
                    || group.members.contains { disks?.contains($0.volumeId) == true })
                && Tags.match(group.tags, tags)
                && (resourceGroup == nil || use.groups.name(of: group.id) == resourceGroup)
        }
        let page = pages.page(of: found, call) { ($0.members[0].createdAt, $0.id) }
        return .of { fields in
            page.write(into: &fields)
            fields.add(
                "SnapshotGroups", listOf: "SnapshotGroup", page.items.map { write($0, use) })
        }
    }

    private static func status(_ members: [SnapshotView]) -> String {
        if members.contains(where: { $0.state == .error }) { return "failed" }
        return members.allSatisfy { $0.state == .completed } ? "accomplished" : "progressing"
    }

    private static func write(_ group: SnapshotGroup, _ use: SnapshotUse) -> ECSValue {
        let members = group.members
        var fields = ECSFields()
        fields.add("SnapshotGroupId", ECSID.name(group.id, .group))
        fields.add("Name", group.name ?? "")
        fields.add("Description", group.description ?? "")
        fields.add("Status", status(members))
        fields.add("ProgressStatus", "")
        fields.add("InstanceId", "")
        fields.add("CreationTime", members[0].createdAt.ecs)
        fields.add("ResourceGroupId", use.groups.name(of: group.id))
        Tags.write(group.tags, into: &fields, key: "Key", value: "Value")
        let items = members.map { snapshot in
            ECSFields.of { item in
                item.add("SnapshotId", ECSID.name(snapshot.id, .snapshot))
                item.add("SourceDiskId", ECSID.name(snapshot.volumeId, .disk) ?? "")
                item.add("SourceDiskType", use.systemDisks.contains(snapshot.volumeId) ? "system" : "data")
                item.add("Progress", SnapshotWords.progress(snapshot))
                item.add("Available", SnapshotWords.isAvailable(snapshot))
                item.add("InstantAccess", false)
                Tags.write(snapshot.tags, into: &item, key: "Key", value: "Value")
            }.value
        }
        fields.add("Snapshots", listOf: "Snapshot", items)
        return fields.value
    }

    // MARK: Several at once

    /// The group that `SnapshotGroupId` names.
    private static func group(_ call: ECSCall) async throws -> SnapshotGroup {
        let name = try call.parameters.needed("SnapshotGroupId")
        guard let native = ECSID.native(name, .group),
            let group = try await snapshotGroups(call).first(where: { $0.id == native })
        else {
            throw ECSFailure(
                404, "InvalidSnapshotGroupId.NotFound", "The specified SnapshotGroupId \(name) does not exist.")
        }
        return group
    }

    private static let modifySnapshotGroup: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let group = try await group(call)
        let name = try groupName(call.parameters), text = try groupWords(call.parameters)
        guard name != nil || text != nil else { throw ECSFailure.nothingToModify }
        try await call.verbs.snapshots.modify(group: group.id, name: name, description: text)
        return ECSFields()
    }

    private static let deleteSnapshotGroup: @Sendable (ECSCall) async throws -> ECSFields = { call in
        var rows: [ECSValue] = []
        for snapshot in try await group(call).members {
            var failure: ECSFailure?
            do { try await delete(snapshot, call) } catch { failure = ECSFailure(from: error) }
            rows.append(outcome("SnapshotId", ECSID.name(snapshot.id, .snapshot) ?? "", failure))
        }
        return .of { $0.add("OperationProgressSet", listOf: "OperationProgress", rows) }
    }

    /// What became of one of several.
    static func outcome(_ name: String, _ value: String, _ failure: ECSFailure?) -> ECSValue {
        ECSFields.of { fields in
            fields.add("OperationStatus", failure == nil ? "Success" : "Failed")
            fields.add("ErrorCode", failure?.code ?? "")
            fields.add("ErrorMsg", failure?.message ?? "")
            let item = ECSFields.of {
                $0.add("Name", name)
                $0.add("Value", value)
            }
            fields.add("RelatedItemSet", listOf: "RelatedItem", [item.value])
        }.value
    }

    private static let resetDisks: @Sendable (ECSCall) async throws -> ECSFields = { call in
        let numbers = call.parameters.numbers("Disk")
        guard !numbers.isEmpty else { throw ECSFailure.missing("Disk") }
        guard numbers.count <= 10 else { throw ECSFailure.parameter("Disk") }
        var pairs: [(volume: VolumeView, snapshot: SnapshotView)] = []
        for number in numbers {
            let volume = try await call.disk("Disk.\(number).DiskId")
            let snapshot = try await call.snapshot("Disk.\(number).SnapshotId")
            try await checkReset(of: volume, to: snapshot, call)
            pairs.append((volume, snapshot))
        }
        guard let group = pairs[0].snapshot.groupId, pairs.allSatisfy({ $0.snapshot.groupId == group }) else {
            throw ECSFailure(
                403, "InvalidParameter.Mismatch", "The specified snapshots are not members of one snapshot group.")
        }
        try call.dryRun()
        var rows: [ECSValue] = []
        // All could be when they were asked for; what came between for one is told with the others.
        for (volume, snapshot) in pairs {
            var failure: ECSFailure?
            do { try await reset(volume, to: snapshot, call) } catch { failure = ECSFailure(from: error) }
            rows.append(outcome("DiskId", ECSID.name(volume.id, .disk) ?? "", failure))
        }
        return .of { $0.add("OperationProgressSet", listOf: "OperationProgress", rows) }
    }
}

internal import ControlPlane

extension EC2Dialect {
    static let snapshotActions = [
        EC2Action("CreateSnapshot", isChange: true, createSnapshot),
        EC2Action("CreateSnapshots", isChange: true, createSnapshots),
        EC2Action(
            "DescribeSnapshots", isChange: false,
            lacks:
                "FullSnapshotSizeInBytes counts the blocks of 4 KiB that were written, not those of 512 KiB around them",
            describeSnapshots),
        EC2Action("DeleteSnapshot", isChange: true, deleteSnapshot),
    ]

    private static let createSnapshot: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let tags = try TagSpecifications.read(call, for: "snapshot")
        let description = try description(call)
        try call.dryRun()
        let id = try EC2Identifier.volume(call)
        let volume = try await volume(id, call)
        guard volume.state == .available || volume.state == .inUse else {
            throw EC2Failure("IncorrectState", "Volume '\(id)' is not in the 'available' or 'in-use' state.")
        }
        do {
            let made = try await call.verbs.snapshots.create(
                CreateSnapshot(volume: id, description: description, tags: tags))
            return .elements { SnapshotWords.write(made, isDescribed: false, into: &$0) }
        } catch let error as ServiceError {
            guard error.code == .limitExceeded, error.quota == nil, error.rate == nil else { throw error }
            throw EC2Failure(
                "ConcurrentSnapshotLimitExceeded", "Maximum allowed in-progress snapshots for a single volume exceeded."
            )
        }
    }

    static func description(_ call: EC2Call) throws(EC2Failure) -> String? {
        guard let text = call.parameters["Description"], !text.isEmpty else { return nil }
        guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }), text.utf8.count <= 255 else {
            throw .invalidValue(
                "Value (\(text)) for parameter description is invalid. Character sets beyond ASCII are not supported.")
        }
        return text
    }

    /// Volumes that one request may leave out, but for the boot disk.
    private static let excludedMax = 40

    private static let createSnapshots: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let tags = try TagSpecifications.read(call, for: "snapshot")
        let description = try description(call)
        try call.dryRun()
        let wanted = call.parameters.structure("InstanceSpecification")
        guard let id = wanted["InstanceId"], !id.isEmpty else {
            throw EC2Failure.missing("InstanceSpecification.InstanceId")
        }
        try EC2Identifier.checkInstance(id)
        let disks = try await instance(id, call).disks
        let excluded = wanted.list("ExcludeDataVolumeId")
        guard excluded.count <= excludedMax else {
            throw EC2Failure.invalidValue("At most \(excludedMax) data volumes may be excluded.")
        }
        if let stranger = excluded.first(where: { id in !disks.contains { $0.volumeId == id } }) {
            throw EC2Failure.invalidValue("The volume '\(stranger)' is not attached to instance '\(id)'.")
        }
        let withoutBoot = try wanted.flag("ExcludeBootVolume") ?? false
        let volumes = disks.filter { disk in
            !excluded.contains(disk.volumeId) && !(withoutBoot && isBoot(disk.device))
        }.map(\.volumeId)
        guard !volumes.isEmpty else {
            throw EC2Failure.invalidValue("Instance '\(id)' has no volume to take a snapshot of.")
        }
        var tagsByVolume: [String: [String: String]] = [:]
        if let source = call.parameters["CopyTagsFromSource"], !source.isEmpty {
            guard source == "volume" else {
                throw EC2Failure.invalidValue("Value (\(source)) for parameter copyTagsFromSource is invalid.")
            }
            // What is said for the snapshots counts before what the volumes have.
            for id in volumes {
                tagsByVolume[id] = (try await volume(id, call).tags ?? [:]).merging(tags) { _, new in new }
            }
        }
        let made = try await call.verbs.snapshots.createGroup(
            of: volumes, name: nil, description: description, tags: tags, tagsByVolume: tagsByVolume)
        return .elements { writer in
            writer.list("snapshotSet", made) { writer, snapshot in
                SnapshotWords.writeMember(snapshot, into: &writer)
            }
        }
    }

    /// The disk that an instance starts from, by its name.
    private static func isBoot(_ device: String) -> Bool { ["/dev/sda", "/dev/sda1", "/dev/xvda"].contains(device) }

    /// Parts of all that the caller may use that are looked at for one page.
    private static let partsMax = 10

    private static let describeSnapshots: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let wanted = call.parameters.list("SnapshotId")
        for id in wanted { _ = try EC2Identifier.snapshot(id) }
        let paging = try Paging(call, ids: wanted.isEmpty ? nil : "snapshotSet")
        let filters = try Filters(call.parameters, known: SnapshotWords.filters)
        let owners = try accounts(call, "Owner", everyone: "amazon")
        let users = try accounts(call, "RestorableBy", everyone: "all")
        var selection = SnapshotSelection()
        selection.ids = wanted.isEmpty ? nil : wanted
        if wanted.isEmpty {
            // What is named has to be there whatever else is asked of it.
            selection.volumes = filters.exact("volume-id").flatMap { $0.contains(SnapshotView.noVolume) ? nil : $0 }
            let whose = owners.isEmpty ? filters.exact("owner-id") : owners
            selection.owners = whose.flatMap { $0.count > SnapshotSelection.valuesMax ? nil : $0 }
        }
        selection.after = paging.after
        let takesAll = owners.isEmpty && users.isEmpty && filters.all.isEmpty
        // One more than the page takes says that another page follows. Where little may be taken of what is found, more at once.
        selection.limit = paging.limit.map { takesAll ? $0 + 1 : max($0 + 1, 1000) }
        var snapshots: [SnapshotView] = []
        var parts = 0
        repeat {
            let part = try await call.verbs.snapshots.page(selection)
            let some = part.snapshots
            if let unknown = wanted.first(where: { id in !some.contains { $0.id == id } }) {
                throw EC2Identifier.noSnapshot(unknown)
            }
            snapshots +=
                try takesAll
                ? some
                : some.filter { snapshot in
                    try (owners.isEmpty || owners.contains(snapshot.ownerId))
                        && (users.isEmpty || users.contains { isRestorable(snapshot, by: $0) })
                        && filters.match(tags: Tag.all(snapshot.allTags)) { SnapshotWords.values(of: $0, snapshot) }
                }
            selection.after = part.reached
            parts += 1
            // A page ends sooner where much has to be passed over.
        } while selection.after != nil
            && (paging.limit.map { snapshots.count <= $0 && parts < partsMax } ?? true)
        let page = paging.page(of: snapshots, call, reached: selection.after) { $0.id }
        return .elements { writer in
            writer.list("snapshotSet", page.items) { writer, snapshot in
                SnapshotWords.write(snapshot, isDescribed: true, into: &writer)
            }
            writer.add("nextToken", page.next)
        }
    }

    /// The accounts that `Owner.N` or `RestorableBy.N` name; `self` is the caller's.
    static func accounts(_ call: EC2Call, _ name: String, everyone: String...) throws(EC2Failure) -> [String] {
        var accounts: [String] = []
        for one in call.parameters.list(name) {
            guard
                one == "self" || everyone.contains(one)
                    || one.utf8.count == 12 && one.utf8.allSatisfy({ (0x30...0x39).contains($0) })
            else { throw EC2Failure("InvalidUserID.Malformed", "Invalid user id: \"\(one)\"") }
            accounts.append(one == "self" ? call.caller.account : one)
        }
        return accounts
    }

    /// May that account make volumes of it, as far as the caller may know? `all`: may everybody?
    private static func isRestorable(_ snapshot: SnapshotView, by account: String) -> Bool {
        if snapshot.sharing?.isPublic == true { return true }
        return snapshot.ownerId == account || snapshot.sharing?.accounts.contains(account) == true
    }

    private static let deleteSnapshot: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let id = try EC2Identifier.snapshot(call.parameters["SnapshotId"])
        _ = try await ownSnapshot(id, call)
        try call.dryRun()
        try await call.verbs.snapshots.delete(id)
        return .done
    }
}

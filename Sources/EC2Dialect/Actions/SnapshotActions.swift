internal import ControlPlane

extension EC2Dialect {
    static let snapshotActions = [
        EC2Action("CreateSnapshot", isChange: true, createSnapshot),
        EC2Action(
            "DescribeSnapshots", isChange: false, lacks: "fullSnapshotSizeInBytes, dataEncryptionKeyId, tiers",
            describeSnapshots),
        EC2Action("DeleteSnapshot", isChange: true, deleteSnapshot),
    ]

    private static let createSnapshot: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        let tags = try TagSpecifications.read(call, for: "snapshot")
        let description = call.parameters["Description"].flatMap { $0.isEmpty ? nil : $0 }
        if let description, !description.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) || description.utf8.count > 255
        {
            throw EC2Failure.invalidValue(
                "Value (\(description)) for parameter description is invalid. Character sets beyond ASCII are not supported."
            )
        }
        try call.dryRun()
        let id = try EC2Identifier.volume(call)
        let volume = try await volume(id, call)
        guard volume.state == .available || volume.state == .inUse else {
            throw EC2Failure("IncorrectState", "Volume '\(id)' is not in the 'available' or 'in-use' state.")
        }
        do {
            let made = try await call.verbs.snapshots.create(
                CreateSnapshot(volume: id, description: description, tags: tags))
            return .elements { SnapshotWords.write(made, call, isDescribed: false, into: &$0) }
        } catch let error as ServiceError {
            guard error.code == .limitExceeded else { throw error }
            throw EC2Failure(
                "ConcurrentSnapshotLimitExceeded", "Maximum allowed in-progress snapshots for a single volume exceeded."
            )
        }
    }

    private static let describeSnapshots: @Sendable (EC2Call) async throws -> XMLWriter = { call in
        try call.dryRun()
        let wanted = call.parameters.list("SnapshotId")
        for id in wanted { _ = try EC2Identifier.snapshot(id) }
        let paging = try Paging(call, ids: wanted.isEmpty ? nil : "snapshotSet")
        let filters = try Filters(call.parameters, known: SnapshotWords.filters)
        let owners = try accounts(call, "Owner", everyone: "amazon")
        let users = try accounts(call, "RestorableBy", everyone: "all")
        var snapshots = try await call.verbs.snapshots.list() + call.verbs.snapshots.sharedWithCaller()
        snapshots.sort { $0.id < $1.id }
        if !wanted.isEmpty {
            let known = Set(snapshots.map(\.id))
            if let unknown = wanted.first(where: { !known.contains($0) }) { throw EC2Identifier.noSnapshot(unknown) }
            snapshots = snapshots.filter { wanted.contains($0.id) }
        }
        snapshots = try snapshots.filter { snapshot in
            try (owners.isEmpty || owners.contains(snapshot.ownerId))
                && (users.isEmpty || users.contains { isRestorable(snapshot, by: $0) })
                && filters.match(tags: Tag.all(snapshot.tags)) { SnapshotWords.values(of: $0, snapshot, call) }
        }
        let page = paging.page(of: snapshots, call) { $0.id }
        return .elements { writer in
            writer.list("snapshotSet", page.items) { writer, snapshot in
                SnapshotWords.write(snapshot, call, isDescribed: true, into: &writer)
            }
            writer.add("nextToken", page.next)
        }
    }

    /// The accounts that `Owner.N` or `RestorableBy.N` name; `self` is the caller's.
    private static func accounts(_ call: EC2Call, _ name: String, everyone: String) throws(EC2Failure) -> [String] {
        var accounts: [String] = []
        for one in call.parameters.list(name) {
            guard
                one == "self" || one == everyone
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

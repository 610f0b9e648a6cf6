internal import ControlPlane

extension EC2Dialect {
    static let sharingActions = [
        EC2Action(
            "ModifySnapshotAttribute", isChange: true,
            lacks: "the refusal to share what is encrypted with the account's default key: there is none"
        ) { call in
            let snapshot = try await ownSnapshot(try EC2Identifier.snapshot(call.parameters["SnapshotId"]), call)
            try call.dryRun()
            try await share(snapshot, try PermissionChange(call.parameters).change, call)
            return .done
        },
        EC2Action("DescribeSnapshotAttribute", isChange: false) { call in
            try call.dryRun()
            let attribute = try attribute(call)
            let id = try await ownSnapshot(try EC2Identifier.snapshot(call.parameters["SnapshotId"]), call).id
            let sharing = try await call.verbs.snapshots.sharing(of: id)
            return .elements { writer in
                writer.add("snapshotId", id)
                guard attribute == .createVolumePermission else {
                    writer.list("productCodes", [String]()) { $0.add("productCode", $1) }
                    return
                }
                let grantees = (sharing.isPublic ? [nil] : []) + sharing.accounts.map(Optional.some)
                writer.list("createVolumePermission", grantees) { writer, account in
                    if let account { writer.add("userId", account) } else { writer.add("group", "all") }
                }
            }
        },
        EC2Action("ResetSnapshotAttribute", isChange: true) { call in
            try call.dryRun()
            guard try attribute(call) == .createVolumePermission else {
                throw EC2Failure.invalidValue("Unrecognized attribute.")
            }
            guard let id = call.parameters["SnapshotId"], EC2Identifier.isForm(id, prefix: "snap-") else {
                throw EC2Failure(
                    "InvalidSnapshotID.Malformed",
                    "The snapshot ID '\(call.parameters["SnapshotId"] ?? "")' is malformed")
            }
            _ = try await ownSnapshot(id, call)
            let before = try await call.verbs.snapshots.sharing(of: id)
            _ = try await call.verbs.snapshots.share(id, SharingChange(removing: before.accounts, isPublic: false))
            return .done
        },
        EC2Action("EnableSnapshotBlockPublicAccess", isChange: true) { call in
            try call.dryRun()
            guard let word = call.parameters["State"], !word.isEmpty else { throw EC2Failure.missing("State") }
            guard let wanted = PublicAccess(rawValue: word), wanted != .unblocked else {
                throw EC2Failure.invalidValue("Value (\(word)) for parameter State is invalid.")
            }
            try await call.verbs.snapshots.set(publicAccess: wanted)
            return .elements { $0.add("state", wanted.rawValue) }
        },
        EC2Action("DisableSnapshotBlockPublicAccess", isChange: true) { call in
            try call.dryRun()
            try await call.verbs.snapshots.set(publicAccess: .unblocked)
            return .elements { $0.add("state", PublicAccess.unblocked.rawValue) }
        },
        EC2Action("GetSnapshotBlockPublicAccessState", isChange: false) { call in
            try call.dryRun()
            let access = try await call.verbs.snapshots.publicAccess()
            return .elements { writer in
                writer.add("state", access.rawValue)
                writer.add("managedBy", "account")
            }
        },
    ]

    private enum Attribute: String { case createVolumePermission, productCodes }

    private static func attribute(_ call: EC2Call) throws(EC2Failure) -> Attribute {
        guard let word = call.parameters["Attribute"], !word.isEmpty else {
            throw EC2Failure("InvalidRequest", "The request received was invalid.")
        }
        guard let attribute = Attribute(rawValue: word) else { throw .invalidValue("Unrecognized attribute.") }
        return attribute
    }

    /// A snapshot of the caller's own: what others share is theirs to change.
    static func ownSnapshot(_ id: String, _ call: EC2Call) async throws -> SnapshotView {
        let snapshot = try await snapshot(id, call)
        guard snapshot.ownerId == call.caller.account else { throw EC2Identifier.noSnapshot(id) }
        return snapshot
    }

    /// A snapshot that the caller may use.
    static func snapshot(_ id: String, _ call: EC2Call) async throws -> SnapshotView {
        do { return try await call.verbs.snapshots.find(id) } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw EC2Identifier.noSnapshot(id)
        }
    }

    /// Shares it; refusals are in Amazon's words.
    private static func share(_ snapshot: SnapshotView, _ change: SharingChange, _ call: EC2Call) async throws {
        do { _ = try await call.verbs.snapshots.share(snapshot.id, change) } catch let error as ServiceError {
            switch error.code {
            case .limitExceeded: throw EC2Failure("ResourceLimitExceeded", error.message)
            case .forbidden:
                throw EC2Failure(
                    "OperationNotPermitted",
                    snapshot.encrypted
                        ? "Encrypted snapshots cannot be shared publicly."
                        : "Public sharing of snapshots is blocked for this account.")
            default: throw error
            }
        }
    }
}

/// What ModifySnapshotAttribute or ModifyImageAttribute asks for, in either of their two styles.
struct PermissionChange {
    private static let countMax = 500
    let change: SharingChange

    /// - Parameter name: what Amazon calls the permission, with a capital.
    init(_ parameters: RequestParameters, _ name: String = "CreateVolumePermission") throws(EC2Failure) {
        if let attribute = parameters["Attribute"], attribute != name.loweredFirst {
            throw .invalidValue("Unrecognized attribute.")
        }
        let permission = parameters.structure(name)
        let adds = permission.structures("Add"), removes = permission.structures("Remove")
        let operation = parameters["OperationType"]
        let users = parameters.list("UserId"), groups = parameters.list("UserGroup")
        let isSecond = operation != nil || !users.isEmpty || !groups.isEmpty
        guard [!adds.isEmpty, !removes.isEmpty, isSecond].filter({ $0 }).count <= 1 else {
            throw .combination("One and only one operation type may be specified for \(name.loweredFirst)s")
        }
        if isSecond {
            guard let operation else {
                throw .combination("No operation specified for \(name.loweredFirst) attribute.")
            }
            guard operation == "add" || operation == "remove" else {
                throw .invalidValue("Value (\(operation)) for parameter operationType is invalid.")
            }
            change = try Self.change(users, groups, isAdding: operation == "add") { "UserId (\($0)) is invalid." }
        } else {
            let isAdding = !adds.isEmpty
            let items = isAdding ? adds : removes
            guard !items.isEmpty else { throw .combination("No attributes specified.") }
            change = try Self.change(
                items.compactMap { $0["UserId"] }, items.compactMap { $0["Group"] }, isAdding: isAdding
            ) { "UserId \($0)" }
        }
    }

    private static func change(
        _ users: [String], _ groups: [String], isAdding: Bool, _ words: (String) -> String
    ) throws(EC2Failure) -> SharingChange {
        guard !users.isEmpty || !groups.isEmpty else { throw .combination("No attributes specified.") }
        guard users.count + groups.count <= countMax else {
            throw .invalidValue("Modification size must not be greater than \(countMax).")
        }
        for user in users where user.utf8.count != 12 || !user.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            throw EC2Failure("InvalidAMIAttributeItemValue", words(user))
        }
        for group in groups where group != "all" {
            throw EC2Failure("InvalidAMIAttributeItemValue", "UserGroup \(group)")
        }
        return SharingChange(
            adding: isAdding ? users : [], removing: isAdding ? [] : users, isPublic: groups.isEmpty ? nil : isAdding)
    }
}

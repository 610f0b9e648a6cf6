internal import ControlPlane

/// A new snapshot of one volume.
struct NewSnapshotDocument: NativeDocument {
    static let keys = ["volumeId", "name", "description", "tags", "quiesce"] + ReleaseFields.keys
    let request: CreateSnapshot

    init(_ fields: NativeFields) throws {
        var request = CreateSnapshot(
            volume: try fields.required("volumeId"), name: try fields.optional("name"),
            description: try fields.optional("description"), tags: try fields.optional("tags") ?? [:])
        request.release = try ReleaseFields(fields).release
        request.quiesce = try fields.optional("quiesce")
        self.request = request
    }
}

/// New snapshots of several volumes at one instant.
struct NewGroupDocument: NativeDocument {
    static let keys = ["volumeIds", "name", "description", "quiesce"] + ReleaseFields.keys
    let volumes: [String]
    let name: String?
    let description: String?
    let release: SnapshotRelease?
    let quiesce: Quiesce?

    init(_ fields: NativeFields) throws {
        quiesce = try fields.optional("quiesce")
        volumes = try fields.required("volumeIds")
        name = try fields.optional("name")
        description = try fields.optional("description")
        release = try ReleaseFields(fields).release
    }
}

extension NativeAPI {
    /// The JSON of a list.
    struct SnapshotList: Encodable {
        let snapshots: [SnapshotView]
    }

    static let snapshotRoutes = [
        NativeRoute(
            "GET", "/snapshots", "Every snapshot, or those of one volume, oldest first.", query: ["volumeId"]
        ) { call in
            try .json(SnapshotList(snapshots: try await call.verbs.snapshots.list(of: call.query["volumeId"])))
        },
        NativeRoute(
            "POST", "/snapshots", "Fixes a volume's content at an instant; the upload follows.",
            keys: NewSnapshotDocument.keys
        ) { call in
            let request = try call.document(NewSnapshotDocument.self).request
            return try .json(try await call.verbs.snapshots.create(request), status: 201)
        },
        NativeRoute(
            "POST", "/snapshot-groups", "Fixes several volumes' content at the same instant.",
            keys: NewGroupDocument.keys
        ) { call in
            let plan = try call.document(NewGroupDocument.self)
            let snapshots = try await call.verbs.snapshots.createGroup(
                of: plan.volumes, name: plan.name, description: plan.description, release: plan.release,
                quiesce: plan.quiesce)
            return try .json(SnapshotList(snapshots: snapshots), status: 201)
        },
        NativeRoute("GET", "/snapshots/{id}", "One snapshot.") { call in
            try .json(try await call.verbs.snapshots.show(call.value("id")))
        },
        NativeRoute(
            "PATCH", "/snapshots/{id}", "Changes a snapshot's name, description, or when it is deleted by itself.",
            keys: ModifySnapshotDocument.keys
        ) { call in
            let change = try call.document(ModifySnapshotDocument.self).change
            return try .json(try await call.verbs.snapshots.modify(call.value("id"), change))
        },
        NativeRoute("DELETE", "/snapshots/{id}", "Deletes a snapshot; a pending one is cancelled.") { call in
            try await call.verbs.snapshots.delete(call.value("id"))
            return .done
        },
        NativeRoute("POST", "/snapshots/{id}/attach", "Offers a snapshot read-only over NBD; says where.") { call in
            try .json(try await call.verbs.snapshots.attach(call.value("id")))
        },
        NativeRoute("POST", "/snapshots/{id}/detach", "Ends a snapshot's NBD export.") { call in
            try .json(try await call.verbs.snapshots.detach(call.value("id")))
        },
        NativeRoute(
            "POST", "/snapshots/{id}/verify", "Checks all it needs, and at level live the volumes that build on it.",
            keys: VerifyDocument.keys
        ) { call in
            let level = try call.document(VerifyDocument.self).level
            return try .json(try await call.verbs.snapshots.verify(call.value("id"), level))
        },
        NativeRoute("GET", "/snapshots/{id}/sharing", "With whom a snapshot is shared.") { call in
            try .json(try await call.verbs.snapshots.sharing(of: call.value("id")))
        },
        NativeRoute(
            "PATCH", "/snapshots/{id}/sharing", "Shares a snapshot with accounts or everybody, or no more.",
            keys: SharingDocument.keys
        ) { call in
            let change = try call.document(SharingDocument.self).change
            return try .json(try await call.verbs.snapshots.share(call.value("id"), change))
        },
        NativeRoute(
            "PUT", "/snapshots/{id}/lock", "Keeps a snapshot from being deleted until a time.", keys: LockDocument.keys
        ) { call in
            let request = try call.document(LockDocument.self).request
            return try .json(try await call.verbs.snapshots.lock(call.value("id"), request))
        },
        NativeRoute("DELETE", "/snapshots/{id}/lock", "Takes a snapshot's lock back, where that is allowed.") { call in
            try await call.verbs.snapshots.unlock(call.value("id"))
            return .done
        },
        NativeRoute("GET", "/shared-snapshots", "Other accounts' snapshots that may be used, oldest first.") { call in
            try .json(SnapshotList(snapshots: try await call.verbs.snapshots.sharedWithCaller()))
        },
        NativeRoute("GET", "/public-access", "Whether the account's snapshots can be everybody's.") { call in
            try .json(PublicAccessAnswer(publicAccess: try await call.verbs.snapshots.publicAccess()))
        },
        NativeRoute("PATCH", "/public-access", "Settles that.", keys: PublicAccessDocument.keys) { call in
            let wanted = try call.document(PublicAccessDocument.self).publicAccess
            try await call.verbs.snapshots.set(publicAccess: wanted)
            return try .json(PublicAccessAnswer(publicAccess: wanted))
        },
        NativeRoute("GET", "/snapshots/{id}/diff/{other}", "Where two snapshots differ.") { call in
            try .json(try await call.verbs.snapshots.diff(call.value("id"), call.value("other")))
        },
    ]
}

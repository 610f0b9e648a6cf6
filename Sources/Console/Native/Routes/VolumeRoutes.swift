internal import Blocks
internal import ControlPlane

/// A new volume: empty with a size, or from a snapshot, or from another volume.
struct NewVolumeDocument: NativeDocument {
    static let keys = [
        "sizeBytes", "name", "description", "fromSnapshotId", "fromVolumeId", "encrypted", "keyId", "skipDamaged",
        "tags",
        "isShared", "kind", "iops", "throughput", "zone",
    ]
    let request: CreateVolume

    init(_ fields: NativeFields) throws {
        let size: Int? = try fields.optional("sizeBytes")
        let snapshot: String? = try fields.optional("fromSnapshotId")
        let volume: String? = try fields.optional("fromVolumeId")
        let origin: CreateVolume.Origin =
            switch (snapshot, volume) {
            case (nil, nil): .empty
            case (let snapshot?, nil): .snapshot(snapshot)
            case (nil, let volume?): .volume(volume)
            case (_?, _?):
                throw ServiceError(.invalid, .volume, "give fromSnapshotId or fromVolumeId, not both")
            }
        var request = CreateVolume(
            size: size.map { ByteCount($0) }, name: try fields.optional("name"), origin: origin,
            encryption: try VolumeEncryption(fields))
        request.description = try fields.optional("description")
        request.skipsDamage = try fields.optional("skipDamaged") ?? false
        request.tags = try fields.optional("tags") ?? [:]
        request.zone = try fields.optional("zone")
        request.profile = try VolumeProfile(fields)
        request.isShared = try fields.optional("isShared") ?? false
        self.request = request
    }
}

extension VolumeEncryption {
    /// Reads `encrypted` and `keyId`; a key alone says enough.
    init?(_ fields: NativeFields) throws {
        let isEncrypted: Bool? = try fields.optional("encrypted")
        let key: String? = try fields.optional("keyId")
        if isEncrypted == false, key != nil {
            throw ServiceError(.invalid, .volume, "a volume that is not encrypted has no keyId")
        }
        guard isEncrypted == true || key != nil else { return nil }
        self.init(key: key)
    }
}

extension VolumeProfile {
    /// Reads `kind`, `iops` and `throughput`; without a kind there are none of the others.
    init?(_ fields: NativeFields) throws {
        let kind: String? = try fields.optional("kind")
        let iops: Int? = try fields.optional("iops")
        let throughput: Int? = try fields.optional("throughput")
        guard let kind else {
            guard iops == nil, throughput == nil else {
                throw ServiceError(.invalid, .volume, "iops and throughput are a kind's: give the kind as well")
            }
            return nil
        }
        self.init(kind: kind, iops: iops, throughput: throughput)
    }
}

/// What may change of a volume: its size, its kind and speed, or its name and description (null takes them away).
struct ChangedVolumeDocument: NativeDocument {
    static let keys = ["sizeBytes", "name", "description", "kind", "iops", "throughput", "isShared"]
    let change: ModifyVolume
    let labels: VolumeLabels
    var isLabelled: Bool { labels.name != nil || labels.description != nil }
    var isModified: Bool { change.size != nil || change.profile != nil || change.isShared != nil }

    init(_ fields: NativeFields) throws {
        let bytes: Int? = try fields.optional("sizeBytes")
        change = ModifyVolume(
            size: bytes.map { ByteCount($0) }, profile: try VolumeProfile(fields),
            isShared: try fields.optional("isShared"))
        labels = VolumeLabels(name: try Self.label("name", fields), description: try Self.label("description", fields))
        if labels.name?.isEmpty == true, try fields.optional("name") == "" {
            throw ServiceError(.invalid, .volume, "the name is empty: null takes it away")
        }
        guard isModified || isLabelled else {
            throw ServiceError(
                .invalid, .volume,
                "nothing to change was given; known are sizeBytes, name, description, kind, iops, throughput and "
                    + "isShared")
        }
    }

    /// Nil: it is not there; null is the empty text, which takes away what there was.
    private static func label(_ key: String, _ fields: NativeFields) throws -> String? {
        guard fields.container.allKeys.contains(where: { $0.stringValue == key }) else { return nil }
        return try fields.optional(key) ?? ""
    }
}

/// A copy of a volume: what it is to be besides.
struct VolumeCopyDocument: NativeDocument {
    static let keys = ["sizeBytes", "name", "encrypted", "keyId", "tags", "kind", "iops", "throughput", "isShared"]
    private let request: CreateVolume

    init(_ fields: NativeFields) throws {
        let size: Int? = try fields.optional("sizeBytes")
        var request = CreateVolume(
            size: size.map { ByteCount($0) }, name: try fields.optional("name"),
            encryption: try VolumeEncryption(fields))
        request.tags = try fields.optional("tags") ?? [:]
        request.profile = try VolumeProfile(fields)
        request.isShared = try fields.optional("isShared") ?? false
        self.request = request
    }

    func request(of volume: String) -> CreateVolume {
        var request = request
        request.origin = .volume(volume)
        return request
    }
}

/// A rollback's target.
struct RollBackDocument: NativeDocument {
    static let keys = ["snapshotId"]
    let snapshot: String
    init(_ fields: NativeFields) throws { snapshot = try fields.required("snapshotId") }
}

extension NativeAPI {
    /// The JSON of a list.
    struct VolumeList: Encodable {
        let volumes: [VolumeView]
    }

    static let volumeRoutes = [
        NativeRoute("GET", "/volumes", "Every volume, oldest first.") { call in
            try .json(VolumeList(volumes: try await call.verbs.volumes.list()))
        },
        NativeRoute("POST", "/volumes", "Makes a volume, ready to use.", keys: NewVolumeDocument.keys) { call in
            let request = try call.document(NewVolumeDocument.self).request
            return try .json(try await call.verbs.volumes.create(request), status: 201)
        },
        NativeRoute("GET", "/volumes/{id}", "One volume.") { call in
            try .json(try await call.verbs.volumes.show(call.value("id")))
        },
        NativeRoute(
            "PATCH", "/volumes/{id}", "Grows, renames, describes or quickens a volume.",
            keys: ChangedVolumeDocument.keys,
            run: change),
        NativeRoute("DELETE", "/volumes/{id}", "Deletes a volume; its snapshots stay.") { call in
            try await call.verbs.volumes.delete(call.value("id"))
            return .done
        },
        NativeRoute(
            "POST", "/volumes/{id}/copy", "Makes a volume with this one's present content, usable at once.",
            keys: VolumeCopyDocument.keys
        ) { call in
            let request = try call.document(VolumeCopyDocument.self).request(of: call.value("id"))
            return try .json(try await call.verbs.volumes.create(request), status: 201)
        },
        NativeRoute("POST", "/volumes/{id}/attach", "Offers a volume over NBD; says where.") { call in
            try .json(try await call.verbs.volumes.attach(call.value("id")))
        },
        NativeRoute("POST", "/volumes/{id}/detach", "Ends a volume's NBD export.") { call in
            try .json(try await call.verbs.volumes.detach(call.value("id")))
        },
        NativeRoute("POST", "/volumes/{id}/reinitialise", "Gives a volume the content again that it was made with.") {
            call in
            try .json(try await call.verbs.volumes.reinitialise(call.value("id")))
        },
        NativeRoute(
            "POST", "/volumes/{id}/rollback", "Sets a volume's content back.", keys: RollBackDocument.keys
        ) { call in
            let target = try call.document(RollBackDocument.self).snapshot
            return try .json(try await call.verbs.volumes.rollBack(call.value("id"), to: target))
        },
    ]

    private static let change: @Sendable (NativeCall) async throws -> NativeAnswer = { call in
        let document = try call.document(ChangedVolumeDocument.self)
        let id = call.value("id")
        if document.isLabelled {
            let labelled = try await call.verbs.volumes.label(id, document.labels)
            if !document.isModified { return try .json(labelled) }
        }
        _ = try await call.verbs.volumes.modify(id, document.change)
        return try .json(try await call.verbs.volumes.show(id))
    }
}

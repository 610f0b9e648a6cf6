internal import ControlPlane

/// A copy of a snapshot in the region that is asked.
struct NewCopyDocument: NativeDocument {
    static let keys = ["snapshotId", "fromRegion", "name", "description", "tags", "encrypted", "keyId"]
    let request: CopySnapshot

    init(_ fields: NativeFields) throws {
        var request = CopySnapshot(
            try fields.required("snapshotId"), from: try fields.optional("fromRegion"),
            name: try fields.optional("name"), description: try fields.optional("description"))
        request.tags = try fields.optional("tags") ?? [:]
        let key: String? = try fields.optional("keyId")
        if try fields.optional("encrypted") ?? (key != nil) {
            request.encryption = VolumeEncryption(key: key)
        } else if key != nil {
            throw ServiceError(.invalid, .snapshot, "a keyId is given, and encrypted is false: give one of the two")
        }
        self.request = request
    }
}

extension NativeAPI {
    /// The JSON of a list.
    struct RegionList: Encodable {
        struct Member: Encodable {
            let name: String
            let zones: [String]
        }
        let regions: [Member]
    }

    static let copyRoutes = [
        NativeRoute("GET", "/regions", "Every region of this server; the first is meant where none is named.") { call in
            let regions = call.regions.map { RegionList.Member(name: $0.name, zones: $0.zones.map(\.name)) }
            return try .json(RegionList(regions: regions))
        },
        NativeRoute(
            "POST", "/snapshot-copies", "Copies a snapshot into the region that is asked; the copying follows.",
            keys: NewCopyDocument.keys
        ) { call in
            let request = try call.document(NewCopyDocument.self).request
            return try .json(try await call.verbs.snapshots.copy(request), status: 201)
        },
    ]
}

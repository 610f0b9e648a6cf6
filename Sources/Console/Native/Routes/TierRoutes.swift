internal import ControlPlane

/// For how long a snapshot is to be out of the archive.
struct UnarchiveDocument: NativeDocument {
    static let keys = ["days"]
    let days: Int?

    init(_ fields: NativeFields) throws { days = try fields.optional("days") }
}

extension NativeAPI {
    static let tierRoutes = [
        NativeRoute("POST", "/snapshots/{id}/archive", "Puts a snapshot into the archive, out of use.") { call in
            try .json(try await call.verbs.snapshots.archive(call.value("id")))
        },
        NativeRoute(
            "POST", "/snapshots/{id}/unarchive", "Takes a snapshot out of the archive, for some days or for good.",
            keys: UnarchiveDocument.keys
        ) { call in
            let days = try call.document(UnarchiveDocument.self).days
            return try .json(try await call.verbs.snapshots.restoreArchived(call.value("id"), days: days))
        },
    ]
}

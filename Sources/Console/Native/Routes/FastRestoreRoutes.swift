internal import ControlPlane

/// What an account has restored fast.
struct FastRestoreList: Codable {
    let fastRestores: [FastRestoreView]
}

/// In which zone a snapshot is to be restored fast.
struct FastRestoreDocument: NativeDocument {
    static let keys = ["zone"]
    let zone: String?

    init(_ fields: NativeFields) throws { zone = try fields.optional("zone") }
}

extension NativeAPI {
    static let fastRestoreRoutes = [
        NativeRoute("GET", "/fast-restores", "Which snapshots are restored fast where, and how far that is.") { call in
            try .json(FastRestoreList(fastRestores: try await call.verbs.snapshots.fastRestores()))
        },
        NativeRoute(
            "PUT", "/snapshots/{id}/fast-restore", "Keeps all of a snapshot on the local disk, for volumes made of it.",
            keys: FastRestoreDocument.keys
        ) { call in
            let zone = try call.document(FastRestoreDocument.self).zone
            return try .json(try await call.verbs.snapshots.restoreFast(call.value("id"), in: zone))
        },
        NativeRoute(
            "DELETE", "/snapshots/{id}/fast-restore", "Keeps a snapshot on the local disk no more.", query: ["zone"]
        ) { call in
            try .json(try await call.verbs.snapshots.restoreNoMoreFast(call.value("id"), in: call.query["zone"]))
        },
    ]
}

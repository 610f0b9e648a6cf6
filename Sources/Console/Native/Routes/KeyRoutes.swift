internal import ControlPlane

/// Which key is to open what another opens.
struct RotationDocument: NativeDocument {
    static let keys = ["to", "from"]
    let target: String
    let old: String?

    init(_ fields: NativeFields) throws {
        target = try fields.required("to")
        old = try fields.optional("from")
    }
}

extension NativeAPI {
    /// The JSON of a list.
    struct KeyList: Encodable {
        let keys: [KeyView]
    }

    static let keyRoutes = [
        NativeRoute("GET", "/keys", "The wrapping keys that are here or that something needs.") { call in
            try .json(KeyList(keys: try await call.verbs.keys.list()))
        },
        NativeRoute("POST", "/keys/rotate", "Wraps data keys with another key.", keys: RotationDocument.keys) { call in
            let plan = try call.document(RotationDocument.self)
            return try .json(try await call.verbs.keys.rotate(to: plan.target, from: plan.old))
        },
    ]
}

internal import Blocks
internal import ControlPlane

/// A volume that is to be filled.
struct NewImportDocument: NativeDocument {
    static let keys = ["sizeBytes", "name", "encrypted", "keyId"]
    let size: ByteCount
    let name: String?
    let encryption: VolumeEncryption?

    init(_ fields: NativeFields) throws {
        size = ByteCount(try fields.required("sizeBytes"))
        name = try fields.optional("name")
        encryption = try VolumeEncryption(fields)
    }
}

extension NativeAPI {
    static let importRoutes = [
        NativeRoute(
            "POST", "/imports", "Makes a volume to be filled; it is deleted at the next start unless it is finished.",
            keys: NewImportDocument.keys
        ) { call in
            let plan = try call.document(NewImportDocument.self)
            return try .json(
                try await call.verbs.volumes.beginImport(
                    size: plan.size, name: plan.name, encryption: plan.encryption), status: 201)
        },
        NativeRoute(
            "PUT", "/imports/{id}/content", "Writes the body at the offset; what is never written is zeros.",
            query: ["offset"], takesBytes: true
        ) { call in
            guard let offset = try call.number("offset") else {
                throw ServiceError(.invalid, .volume, "the query parameter offset is missing")
            }
            try await call.verbs.volumes.fill(call.value("id"), at: ByteOffset(offset), with: call.body)
            return .done
        },
        NativeRoute("POST", "/imports/{id}/finish", "Makes the volume durable and available.") { call in
            try .json(try await call.verbs.volumes.finishImport(call.value("id")))
        },
        NativeRoute("DELETE", "/imports/{id}", "Deletes a volume whose import is not finished.") { call in
            try await call.verbs.volumes.abandonImport(call.value("id"))
            return .done
        },
    ]
}

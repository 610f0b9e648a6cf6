internal import ControlPlane

/// How a snapshot's sharing is to change.
struct SharingDocument: NativeDocument {
    static let keys = ["addAccounts", "removeAccounts", "isPublic"]
    let change: SharingChange

    init(_ fields: NativeFields) throws {
        change = SharingChange(
            adding: try fields.optional("addAccounts") ?? [], removing: try fields.optional("removeAccounts") ?? [],
            isPublic: try fields.optional("isPublic"))
    }
}

/// Whether an account's snapshots can be everybody's.
struct PublicAccessDocument: NativeDocument {
    static let keys = ["publicAccess"]
    let publicAccess: PublicAccess

    init(_ fields: NativeFields) throws {
        let word: String = try fields.required("publicAccess")
        guard let known = PublicAccess(rawValue: word) else {
            let all = PublicAccess.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(.invalid, .account, "publicAccess is '\(word)'; it is one of \(all)")
        }
        publicAccess = known
    }
}

/// The JSON of the answer.
struct PublicAccessAnswer: Encodable {
    let publicAccess: PublicAccess
}

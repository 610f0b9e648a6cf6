internal import ControlPlane

/// A new account.
struct NewAccountDocument: NativeDocument {
    static let keys = ["name"]
    let name: String
    init(_ fields: NativeFields) throws { name = try fields.required("name") }
}

/// A new access key.
struct NewAccessKeyDocument: NativeDocument {
    static let keys = ["principal", "role", "accountId"]
    let principal: String
    let role: Caller.Role
    let account: String?

    init(_ fields: NativeFields) throws {
        principal = try fields.required("principal")
        account = try fields.optional("accountId")
        let word: String = try fields.optional("role") ?? Caller.Role.administrator.rawValue
        guard let role = Caller.Role(rawValue: word) else {
            let known = Caller.Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(.invalid, .account, "the role '\(word)' is not known; known are \(known)")
        }
        self.role = role
    }
}

/// Whether a key is accepted.
struct ChangedAccessKeyDocument: NativeDocument {
    static let keys = ["isActive"]
    let isActive: Bool
    init(_ fields: NativeFields) throws { isActive = try fields.required("isActive") }
}

extension NativeAPI {
    /// The JSON of a list.
    struct AccountList: Encodable {
        let accounts: [AccountView]
    }
    /// The JSON of a list.
    struct AccessKeyList: Encodable {
        let accessKeys: [AccessKeyView]
    }

    static let accountRoutes = [
        NativeRoute("GET", "/accounts", "Every account, for whoever runs the house; for others their own.") { call in
            try .json(AccountList(accounts: try await call.verbs.accounts.list()))
        },
        NativeRoute("POST", "/accounts", "Makes an account.", keys: NewAccountDocument.keys) { call in
            let name = try call.document(NewAccountDocument.self).name
            return try .json(try await call.verbs.accounts.create(named: name), status: 201)
        },
        NativeRoute("DELETE", "/accounts/{id}", "Deletes an account that owns nothing, and its keys.") { call in
            try await call.verbs.accounts.delete(call.value("id"))
            return .done
        },
        NativeRoute("GET", "/access-keys", "An account's access keys, without secrets.", query: ["accountId"]) { call in
            try .json(AccessKeyList(accessKeys: try await call.verbs.accounts.keys(of: call.query["accountId"])))
        },
        NativeRoute(
            "POST", "/access-keys", "Makes an access key; its secret is in this answer alone.",
            keys: NewAccessKeyDocument.keys
        ) { call in
            let new = try call.document(NewAccessKeyDocument.self)
            let made = try await call.verbs.accounts.createKey(for: new.principal, role: new.role, in: new.account)
            return try .json(made, status: 201)
        },
        NativeRoute(
            "PATCH", "/access-keys/{id}", "Accepts a key again, or not for now.", keys: ChangedAccessKeyDocument.keys
        ) { call in
            let isActive = try call.document(ChangedAccessKeyDocument.self).isActive
            return try .json(try await call.verbs.accounts.setActive(isActive, key: call.value("id")))
        },
        NativeRoute("DELETE", "/access-keys/{id}", "Deletes an access key.") { call in
            try await call.verbs.accounts.deleteKey(call.value("id"))
            return .done
        },
    ]
}

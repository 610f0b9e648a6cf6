internal import ControlPlane

/// What an account may have of something.
struct QuotaDocument: NativeDocument {
    static let keys = ["value", "accountId"]
    /// Nil takes back what was set.
    let value: Int?
    let account: String?

    init(_ fields: NativeFields) throws {
        value = try fields.optional("value")
        account = try fields.optional("accountId")
    }
}

extension NativeAPI {
    /// The JSON of a list.
    struct QuotaList: Encodable {
        let quotas: [QuotaView]
    }

    static let quotaRoutes = [
        NativeRoute("GET", "/quotas", "How much of what an account may have.", query: ["account"]) { call in
            try .json(QuotaList(quotas: try await call.verbs.quotas.list(of: call.query["account"])))
        },
        NativeRoute(
            "PUT", "/quotas/{name}", "Sets how much of it an account may have; without a value, the standard.",
            keys: QuotaDocument.keys
        ) { call in
            let wanted = try call.document(QuotaDocument.self)
            return try .json(
                QuotaList(
                    quotas: try await call.verbs.quotas.set(
                        named: call.value("name"), to: wanted.value, of: wanted.account)))
        },
    ]
}

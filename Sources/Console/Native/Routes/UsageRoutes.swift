internal import Blocks
internal import ControlPlane

/// What things cost.
struct PriceDocument: NativeDocument {
    static let keys = ["currency", "regions"]
    let table: PriceTable

    init(_ fields: NativeFields) throws {
        table = PriceTable(
            currency: try fields.required("currency"), regions: try fields.optional("regions") ?? [:])
    }
}

extension NativeAPI {
    static let usageRoutes = [
        NativeRoute(
            "GET", "/usage", "What was stored and provisioned, for how long, and what it costs.",
            query: ["from", "to", "by", "account"]
        ) { call in
            let word = call.query["by"] ?? UsageBy.region.rawValue
            guard let by = UsageBy(rawValue: word) else {
                let known = UsageBy.allCases.map(\.rawValue).joined(separator: ", ")
                throw ServiceError(.invalid, .house, "the query's by is '\(word)'; it must be one of \(known)")
            }
            return try .json(
                try await call.verbs.usage.report(
                    from: try call.time("from"), to: try call.time("to"), by: by, account: call.query["account"]))
        },
        NativeRoute("GET", "/prices", "What space costs.") { call in
            try .json(try await call.verbs.usage.prices())
        },
        NativeRoute("PUT", "/prices", "Sets what space costs, for all accounts.", keys: PriceDocument.keys) { call in
            try .json(try await call.verbs.usage.set(try call.document(PriceDocument.self).table))
        },
    ]
}

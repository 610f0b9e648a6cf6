internal import ControlPlane

/// A new policy.
struct NewPolicyDocument: NativeDocument {
    static let keys = ["plan", "isEnabled", "tags"]
    let plan: PolicyPlan
    let isEnabled: Bool
    let tags: [String: String]

    init(_ fields: NativeFields) throws {
        plan = try fields.required("plan")
        isEnabled = try fields.optional("isEnabled") ?? true
        tags = try fields.optional("tags") ?? [:]
    }
}

/// What of a policy is to change.
struct ChangedPolicyDocument: NativeDocument {
    static let keys = ["plan", "isEnabled"]
    let plan: PolicyPlan?
    let isEnabled: Bool?

    init(_ fields: NativeFields) throws {
        plan = try fields.optional("plan")
        isEnabled = try fields.optional("isEnabled")
    }
}

extension NativeAPI {
    /// The JSON of a list.
    struct PolicyList: Encodable {
        let policies: [PolicyView]
    }

    static let policyRoutes = [
        NativeRoute("GET", "/policies", "Every policy, oldest first.") { call in
            try .json(PolicyList(policies: try await call.verbs.policies.list()))
        },
        NativeRoute(
            "POST", "/policies", "Makes a policy: when to take snapshots of what, and how long to keep them.",
            keys: NewPolicyDocument.keys
        ) { call in
            let new = try call.document(NewPolicyDocument.self)
            return try .json(
                try await call.verbs.policies.create(new.plan, isEnabled: new.isEnabled, tags: new.tags), status: 201)
        },
        NativeRoute("GET", "/policies/{id}", "One policy.") { call in
            try .json(try await call.verbs.policies.show(call.value("id")))
        },
        NativeRoute(
            "PATCH", "/policies/{id}", "Gives a policy another plan, pauses it, or goes on with it.",
            keys: ChangedPolicyDocument.keys
        ) { call in
            let change = try call.document(ChangedPolicyDocument.self)
            return try .json(
                try await call.verbs.policies.change(
                    call.value("id"), to: change.plan, isEnabled: change.isEnabled))
        },
        NativeRoute("POST", "/policies/{id}/run", "Takes a policy's snapshots now.") { call in
            try .json(try await call.verbs.policies.run(call.value("id")))
        },
        NativeRoute("DELETE", "/policies/{id}", "Removes a policy; what it took stays.") { call in
            try await call.verbs.policies.delete(call.value("id"))
            return .done
        },
    ]
}

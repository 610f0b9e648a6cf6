internal import ControlPlane

/// A new rule of the bin.
struct NewBinRuleDocument: NativeDocument {
    static let keys = ["resourceType", "days", "description", "resourceTags", "excludeTags", "tags", "unlockDelayDays"]
    let request: NewBinRule

    init(_ fields: NativeFields) throws {
        let word: String = try fields.required("resourceType")
        guard let type = BinRuleView.ResourceType(rawValue: word) else {
            let known = BinRuleView.ResourceType.allCases.map(\.rawValue).joined(separator: ", ")
            throw ServiceError(.invalid, .rule, "the resource type '\(word)' is not known; known are \(known)")
        }
        var request = NewBinRule(resourceType: type, days: try fields.required("days"))
        request.description = try fields.optional("description")
        request.resourceTags = try fields.optional("resourceTags") ?? []
        request.excludeTags = try fields.optional("excludeTags") ?? []
        request.tags = try fields.optional("tags") ?? [:]
        request.unlockDelayDays = try fields.optional("unlockDelayDays")
        self.request = request
    }
}

/// What is to change of a rule.
struct ChangedBinRuleDocument: NativeDocument {
    static let keys = ["days", "description", "resourceTags", "excludeTags"]
    let change: BinRuleChange

    init(_ fields: NativeFields) throws {
        var change = BinRuleChange()
        change.days = try fields.optional("days")
        change.description = try fields.optional("description")
        change.resourceTags = try fields.optional("resourceTags")
        change.excludeTags = try fields.optional("excludeTags")
        self.change = change
    }
}

/// The lock of a rule.
struct BinRuleLockDocument: NativeDocument {
    static let keys = ["unlockDelayDays"]
    let days: Int
    init(_ fields: NativeFields) throws { days = try fields.optional("unlockDelayDays") ?? 7 }
}

extension NativeAPI {
    /// The JSON of a list.
    struct BinRuleList: Encodable {
        let rules: [BinRuleView]
    }

    static let binRoutes = [
        NativeRoute("GET", "/bin", "Deleted snapshots, volumes and images that are kept, and until when.") { call in
            try .json(try await call.verbs.bin.list())
        },
        NativeRoute("POST", "/bin/{id}/restore", "Brings a snapshot, a volume or an image back from the bin.") { call in
            let id = call.value("id")
            if id.hasPrefix("vol-") { return try .json(try await call.verbs.bin.restoreVolume(id)) }
            if id.hasPrefix("ami-") { return try .json(try await call.verbs.bin.restoreImage(id)) }
            return try .json(try await call.verbs.bin.restoreSnapshot(id))
        },
        NativeRoute("DELETE", "/bin/{id}", "Deletes something in the bin for good; for administrators.") { call in
            try await call.verbs.bin.empty(call.value("id"))
            return .done
        },
        NativeRoute("GET", "/bin-rules", "The rules that say what is kept after it was deleted.") { call in
            try .json(BinRuleList(rules: try await call.verbs.bin.rules()))
        },
        NativeRoute("POST", "/bin-rules", "Makes a rule.", keys: NewBinRuleDocument.keys) { call in
            let request = try call.document(NewBinRuleDocument.self).request
            return try .json(try await call.verbs.bin.createRule(request), status: 201)
        },
        NativeRoute("GET", "/bin-rules/{id}", "One rule.") { call in
            try .json(try await call.verbs.bin.rule(call.value("id")))
        },
        NativeRoute(
            "PATCH", "/bin-rules/{id}", "Changes a rule that is not locked.", keys: ChangedBinRuleDocument.keys
        ) { call in
            let change = try call.document(ChangedBinRuleDocument.self).change
            return try .json(try await call.verbs.bin.change(call.value("id"), change))
        },
        NativeRoute("DELETE", "/bin-rules/{id}", "Deletes a rule that is not locked.") { call in
            try await call.verbs.bin.deleteRule(call.value("id"))
            return .done
        },
        NativeRoute(
            "PUT", "/bin-rules/{id}/lock", "Keeps a rule from being changed until some days after its unlocking.",
            keys: BinRuleLockDocument.keys
        ) { call in
            let days = try call.document(BinRuleLockDocument.self).days
            return try .json(try await call.verbs.bin.lock(call.value("id"), unlockDelayDays: days))
        },
        NativeRoute("DELETE", "/bin-rules/{id}/lock", "Begins to unlock a rule.") { call in
            try .json(try await call.verbs.bin.unlock(call.value("id")))
        },
    ]
}

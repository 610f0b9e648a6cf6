internal import ControlPlane

/// One request about the rules of the bin.
struct BinCall: Sendable {
    let verbs: Verbs
    let caller: Caller
    let region: Region
    let request: DirectRequest

    private static let pageMax = 1000
    /// Tags that one request may name.
    private static let keysMax = 200

    // MARK: Rules

    func create() async throws -> DirectAnswer {
        let document = try request.document(BinWords.NewRule.self)
        let made = try await verbs.bin.createRule(document.request())
        return try .json(BinWords.Rule(made, arn: arn(of: made.id), tags: document.tags ?? []), status: 201)
    }

    func show(_ id: String) async throws -> DirectAnswer { try answer(try await verbs.bin.rule(id)) }

    func update(_ id: String) async throws -> DirectAnswer {
        let document = try request.document(BinWords.ChangedRule.self)
        if let type = document.resourceType {
            let present = try await verbs.bin.rule(id)
            guard try BinWords.type(type) == present.resourceType else {
                throw DirectFailure.badValue("The resource type of a retention rule can't be changed.")
            }
        }
        return try answer(try await verbs.bin.change(id, document.change()))
    }

    func delete(_ id: String) async throws -> DirectAnswer {
        try await verbs.bin.deleteRule(id)
        return DirectAnswer(status: 204, body: [], type: "application/json")
    }

    func lock(_ id: String) async throws -> DirectAnswer {
        let document = try request.document(BinWords.LockedRule.self)
        return try answer(try await verbs.bin.lock(id, unlockDelayDays: document.lockConfiguration.days()))
    }

    func unlock(_ id: String) async throws -> DirectAnswer { try answer(try await verbs.bin.unlock(id)) }

    private func answer(_ rule: BinRuleView) throws -> DirectAnswer {
        try .json(BinWords.Rule(rule, arn: arn(of: rule.id), tags: nil))
    }

    func list() async throws -> DirectAnswer {
        let wanted = try request.document(BinWords.ListedRules.self)
        let type = try BinWords.type(wanted.resourceType)
        let limit = wanted.maxResults ?? Self.pageMax
        guard (1...Self.pageMax).contains(limit) else {
            throw DirectFailure.badValue("MaxResults is \(limit): it must be from 1 to \(Self.pageMax).")
        }
        let lock = try wanted.lockState.map { try BinWords.lockState($0) }
        let after = try wanted.nextToken.flatMap { $0.isEmpty ? nil : try start($0) }
        let tags = (wanted.resourceTags ?? []).map(\.tag)
        let excluded = (wanted.excludeResourceTags ?? []).map(\.tag)
        let found = try await verbs.bin.rules().filter { rule in
            rule.resourceType == type && (lock == nil || rule.lockState == lock) && (after.map { rule.id > $0 } ?? true)
                && tags.allSatisfy(rule.resourceTags.contains) && excluded.allSatisfy(rule.excludeTags.contains)
        }
        let page = found.prefix(limit)
        return try .json(
            BinWords.RuleList(
                rules: page.map { BinWords.RuleSummary($0, arn: arn(of: $0.id)) },
                nextToken: found.count > limit ? page.last.map { verbs.snapshots.sealed($0.id, for: pagePurpose) } : nil
            ))
    }

    private var pagePurpose: String { "rules/\(caller.account)" }

    private func start(_ token: String) throws -> String {
        guard let id = verbs.snapshots.unsealed(token, for: pagePurpose) else {
            throw DirectFailure.invalid("INVALID_PAGE_TOKEN", "The pagination token is invalid.")
        }
        return id
    }

    // MARK: Tags

    func tags(_ arn: String) async throws -> DirectAnswer {
        let tags = try await verbs.bin.rule(rule(arn)).tags ?? [:]
        return try .json(
            BinWords.TagList(tags: tags.sorted { $0.key < $1.key }.map { BinWords.Tag(key: $0.key, value: $0.value) }))
    }

    func tag(_ arn: String) async throws -> DirectAnswer {
        let id = try rule(arn)
        try await verbs.bin.tag(id, BinWords.checked(request.document(BinWords.TagList.self).tags))
        return DirectAnswer(status: 201, body: Array("{}".utf8), type: "application/json")
    }

    func untag(_ arn: String) async throws -> DirectAnswer {
        let id = try rule(arn)
        // The name comes once for each key.
        let keys = request.values(of: "tagKeys").filter { !$0.isEmpty }
        guard !keys.isEmpty, keys.count <= Self.keysMax else {
            throw DirectFailure.badValue("\(keys.count) tag keys: 1 to \(Self.keysMax) are allowed.")
        }
        try await verbs.bin.untag(id, keys)
        return DirectAnswer(status: 204, body: [], type: "application/json")
    }

    private func arn(of id: String) -> String { "\(arnFront)\(id)" }
    private var arnFront: String { "arn:aws:rbin:\(region.name):\(caller.account):rule/" }

    /// The id in an ARN; another account's is nobody's.
    private func rule(_ arn: String) throws -> String {
        guard arn.hasPrefix("arn:"), arn.utf8.count <= 1011 else {
            throw DirectFailure.badValue("The ARN \(arn.prefix(256)) is not valid.")
        }
        guard arn.hasPrefix(arnFront) else { throw DirectFailure.noRule("There is no rule \(arn).") }
        return String(arn.dropFirst(arnFront.count))
    }
}

internal import Blocks
internal import Catalog

/// The verbs on the bin, where deleted snapshots and volumes are kept for as long as the account's rules say, and on those
/// rules. Every error is a ``ServiceError``.
///
/// A rule is one row with its tags, changed in one transaction with the look at its lock: no two requests come between each
/// other. It holds for what is deleted after it was made.
public struct BinService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// Makes a rule. It holds at once.
    public func createRule(_ request: NewBinRule) async throws -> BinRuleView {
        try await ServiceError.about(.rule) {
            try caller.mayChange(.rule)
            let now = house.clock.now()
            var rule = BinRuleRecord(
                id: BinRuleID.next(), account: caller.account, kind: request.resourceType.recorded, days: request.days,
                createdAt: now)
            rule.description = request.description.flatMap { $0.isEmpty ? nil : $0 }
            rule.tags = request.resourceTags.recorded
            rule.excluded = request.excludeTags.recorded
            rule.unlockDays = request.unlockDelayDays
            try BinRules.check(rule)
            try TagRules.check(request.tags)
            try TagRules.check(count: request.tags.count, of: "the rule")
            let made = rule
            try await house.catalog.change { session in
                try Quota.binRules.check(
                    try session.binRules(of: made.account).count + 1, of: made.account, .rule, session)
                try session.insert(made)
                for (key, value) in request.tags { try session.setTag(key, to: value, on: made.id) }
            }
            return BinRuleView(made, tags: request.tags, at: now)
        }
    }

    /// One rule.
    public func rule(_ id: String) async throws -> BinRuleView {
        try await ServiceError.about(.rule) {
            try BinRuleID.check(id)
            return try await house.catalog.change { [caller, now = house.clock.now()] session in
                let rule = try Self.rule(id, of: caller, session)
                return BinRuleView(rule, tags: try session.tags(of: id), at: now)
            }
        }
    }

    /// The account's rules, by id.
    public func rules() async throws -> [BinRuleView] {
        try await ServiceError.about(.rule) {
            try await house.catalog.change { [caller, now = house.clock.now()] session in
                try session.binRules(of: caller.account).map {
                    BinRuleView($0, tags: try session.tags(of: $0.id), at: now)
                }
            }
        }
    }

    /// Changes a rule that is not locked. What is in the bin already stays there as long as it was to.
    public func change(_ id: String, _ change: BinRuleChange) async throws -> BinRuleView {
        try await alter(id) { rule, now, session in
            try Self.checkUnlocked(rule, at: now)
            if let days = change.days { rule.days = days }
            if let text = change.description { rule.description = text.isEmpty ? nil : text }
            if let tags = change.resourceTags { rule.tags = tags.recorded }
            if let tags = change.excludeTags { rule.excluded = tags.recorded }
            // It is unlocked: what it was locked with is over, and says nothing of what it may be now.
            rule.unlockDays = nil
            rule.unlocksAt = nil
            try BinRules.check(rule)
        }
    }

    /// Deletes a rule that is not locked. What is in the bin stays there as long as it was to.
    public func deleteRule(_ id: String) async throws {
        try await ServiceError.about(.rule) {
            try caller.mayChange(.rule)
            try BinRuleID.check(id)
            try await house.catalog.change { [caller, now = house.clock.now()] session in
                try Self.checkUnlocked(try Self.rule(id, of: caller, session), at: now)
                try session.deleteBinRule(id)
            }
        }
    }

    /// Keeps a rule, one that looks at no tags, from being changed or deleted: after ``unlock(_:)``, for so many days more. One
    /// that is being unlocked can be locked again.
    public func lock(_ id: String, unlockDelayDays days: Int) async throws -> BinRuleView {
        try await alter(id) { rule, now, session in
            guard rule.lockState(at: now) != .locked else {
                throw ServiceError(.locked, .rule, "the rule \(id) is locked already: unlock it first")
            }
            try BinRules.check(unlockDays: days, of: rule)
            guard rule.lockState(at: now) == .unlocked || rule.unlockDays.map({ days >= $0 }) != false else {
                throw ServiceError(
                    .locked, .rule,
                    "the rule \(id) is being unlocked, which takes \(rule.unlockDays ?? 0) days: it cannot be locked for less"
                )
            }
            rule.unlockDays = days
            rule.unlocksAt = nil
        }
    }

    /// Begins to unlock a rule: once its delay is over, it can be changed and deleted.
    public func unlock(_ id: String) async throws -> BinRuleView {
        try await alter(id) { rule, now, session in
            guard rule.lockState(at: now) == .locked, let days = rule.unlockDays else {
                throw ServiceError(
                    .locked, .rule, "the rule \(id) is \(rule.lockState(at: now).rawValue): there is nothing to unlock")
            }
            rule.unlocksAt = now + .seconds(days * 86_400)
        }
    }

    /// Writes tags on a rule, locked or not, replacing those with the same key.
    public func tag(_ id: String, _ tags: [String: String]) async throws {
        try TagRules.check(tags)
        _ = try await alter(id) { _, _, session in
            let known = try session.tags(of: id)
            try TagRules.check(count: known.merging(tags) { _, new in new }.count, of: "the rule")
            for (key, value) in tags { try session.setTag(key, to: value, on: id) }
        }
    }

    /// Removes tags of a rule by key. Those that are not there are no error.
    public func untag(_ id: String, _ keys: [String]) async throws {
        _ = try await alter(id) { _, _, session in
            for key in keys { try session.removeTag(key, value: nil, from: id) }
        }
    }

    /// One transaction: reads the rule, lets `body` change it, writes it.
    private func alter(
        _ id: String, _ body: @escaping @Sendable (inout BinRuleRecord, WallTime, CatalogSession) throws -> Void
    ) async throws -> BinRuleView {
        try await ServiceError.about(.rule) {
            try caller.mayChange(.rule)
            try BinRuleID.check(id)
            return try await house.catalog.change { [caller, now = house.clock.now()] session in
                var rule = try Self.rule(id, of: caller, session)
                try body(&rule, now, session)
                try session.update(rule)
                return BinRuleView(rule, tags: try session.tags(of: id), at: now)
            }
        }
    }

    private static func rule(_ id: String, of caller: Caller, _ session: CatalogSession) throws -> BinRuleRecord {
        guard let rule = try session.binRule(id), rule.account == caller.account else {
            throw ServiceError(.missing, .rule, "there is no rule \(id)")
        }
        return rule
    }

    private static func checkUnlocked(_ rule: BinRuleRecord, at now: WallTime) throws {
        guard rule.lockState(at: now) != .unlocked else { return }
        let until = rule.unlocksAt.map { "until \($0)" } ?? "until \(rule.unlockDays ?? 0) days after it is unlocked"
        throw ServiceError(
            .locked, .rule, "the rule \(rule.id) is locked \(until): it cannot be changed or deleted before")
    }
}

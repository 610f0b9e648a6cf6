internal import Blocks
internal import Catalog

/// What the bin keeps, and for how long; and what rules may be.
enum BinRules {
    static let daysRange = 1...3650
    static let unlockRange = 7...30
    static let tagsMax = 50
    static let excludedMax = 5
    static let descriptionMax = 255

    // MARK: What is kept

    /// How long something that is being deleted is kept: as long as the longest of its account's rules says that hold for it.
    /// Nil: none does. In the transaction that would delete it.
    ///
    /// The time is settled now: what becomes of the rules later is nothing to what is in the bin.
    static func stay(
        of id: String, _ kind: BinRuleRecord.Kind, in account: String, at now: WallTime, _ session: CatalogSession
    ) throws -> BinStay? {
        let rules = try holding(id, kind, account, session)
        guard let days = rules.map(\.days).max() else { return nil }
        return BinStay(since: now, until: now + .seconds(days * 86_400))
    }

    /// The rules that hold for something.
    static func holding(
        _ id: String, _ kind: BinRuleRecord.Kind, _ account: String, _ session: CatalogSession
    ) throws -> [BinRuleRecord] {
        let rules = try session.binRules(of: account, about: kind)
        guard !rules.isEmpty else { return [] }
        let tags = try session.tags(of: id)
        return rules.filter { $0.holds(for: tags) }
    }

    // MARK: What a rule may be

    static func check(_ rule: BinRuleRecord) throws {
        guard daysRange.contains(rule.days) else {
            throw ServiceError(
                .invalid, .rule, "\(rule.days) days in the bin: 1 to \(daysRange.upperBound) are allowed")
        }
        if let text = rule.description {
            let count = text.unicodeScalars.count
            guard count <= descriptionMax, text.unicodeScalars.allSatisfy(\.isPrintable) else {
                throw ServiceError(
                    .invalid, .rule,
                    "the description \"\(text.quotable)\" has \(count) characters: at most \(descriptionMax) printable ones "
                        + "are allowed")
            }
        }
        try check(rule.tags, called: "tags", max: tagsMax)
        try check(rule.excluded, called: "tags to exclude", max: excludedMax)
        guard rule.tags.isEmpty || rule.excluded.isEmpty else {
            throw ServiceError(
                .invalid, .rule,
                "the rule is for what has certain tags: only one that is for everything can exclude tags")
        }
        if let days = rule.unlockDays { try check(unlockDays: days, of: rule) }
    }

    static func check(unlockDays days: Int, of rule: BinRuleRecord) throws {
        guard unlockRange.contains(days) else {
            throw ServiceError(
                .invalid, .rule,
                "\(days) days to unlock: \(unlockRange.lowerBound) to \(unlockRange.upperBound) are allowed")
        }
        guard rule.tags.isEmpty, rule.excluded.isEmpty else {
            throw ServiceError(
                .invalid, .rule, "the rule looks at tags: only one that is for everything of its type can be locked")
        }
    }

    private static func check(_ tags: [BinRuleRecord.Tag], called what: String, max: Int) throws {
        guard tags.count <= max else {
            throw ServiceError(.invalid, .rule, "the rule has \(tags.count) \(what): at most \(max) are allowed")
        }
        for (index, tag) in tags.enumerated() {
            guard !tags[..<index].contains(tag) else {
                throw ServiceError(.invalid, .rule, "the tag \"\(tag.key.quotable)\" is named twice")
            }
            do { try TagRules.check([tag.key: tag.value ?? ""]) } catch let error as ServiceError {
                throw ServiceError(error.code, .rule, error.message)
            }
        }
    }
}

extension BinRuleRecord {
    /// Does it hold for something with these tags?
    func holds(for tags: [String: String]) -> Bool {
        self.tags.isEmpty
            ? !excluded.contains { $0.isAmong(tags) } : self.tags.contains { $0.isAmong(tags) }
    }
}

extension BinRuleRecord.Tag {
    func isAmong(_ tags: [String: String]) -> Bool {
        guard let present = tags[key] else { return false }
        return value == nil || value == present
    }
}

extension [BinTag] {
    var recorded: [BinRuleRecord.Tag] { map { BinRuleRecord.Tag(key: $0.key, value: $0.value) } }
}

/// Ids of rules: eleven letters and digits.
enum BinRuleID {
    private static let characters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    private static let length = 11

    /// A new one. 65 random bits: two alike are not to be expected, and the catalog's key would refuse them.
    static func next() -> String {
        var random = SystemRandomNumberGenerator()
        let id = String((0..<length).map { _ in characters[Int.random(in: 0..<characters.count, using: &random)] })
        Deed.note(id)
        return id
    }

    static func check(_ text: String) throws {
        guard text.utf8.count == length, text.allSatisfy({ characters.contains($0) }) else {
            throw ServiceError(
                .invalid, .rule, "\"\(text.quotable)\" is no rule id: it has \(length) letters and digits")
        }
        Deed.note(text)
    }
}

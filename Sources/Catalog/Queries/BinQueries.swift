extension CatalogSession {
    /// Adds a rule with its tags.
    public func insert(_ rule: BinRuleRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO bin_rules (id, account_id, kind, days, description, unlock_days, unlocks_at, created_at)
            VALUES (\(rule.id), \(rule.account), \(rule.kind), \(rule.days), \(rule.description), \(rule.unlockDays),
                \(rule.unlocksAt), \(rule.createdAt))
            """)
        try insertTags(of: rule)
    }

    /// Writes what can change of a rule that exists.
    ///
    /// - Returns: false if there is none.
    @discardableResult
    public func update(_ rule: BinRuleRecord) throws(CatalogFailure) -> Bool {
        let count = try connection.execute(
            """
            UPDATE bin_rules SET days = \(rule.days), description = \(rule.description),
                unlock_days = \(rule.unlockDays), unlocks_at = \(rule.unlocksAt)
            WHERE id = \(rule.id)
            """)
        guard count == 1 else { return false }
        try connection.execute("DELETE FROM bin_rule_tags WHERE rule_id = \(rule.id)")
        try insertTags(of: rule)
        return true
    }

    private func insertTags(of rule: BinRuleRecord) throws(CatalogFailure) {
        for (isExcluded, tags) in [(false, rule.tags), (true, rule.excluded)] {
            for (position, tag) in tags.enumerated() {
                try connection.execute(
                    """
                    INSERT INTO bin_rule_tags (rule_id, is_excluded, position, key, value)
                    VALUES (\(rule.id), \(isExcluded), \(position), \(tag.key), \(tag.value))
                    """)
            }
        }
    }

    /// The rule, or nil.
    public func binRule(_ id: String) throws(CatalogFailure) -> BinRuleRecord? {
        let rows = try connection.query("SELECT * FROM bin_rules WHERE id = \(id)")
        let tags = try connection.query(
            "SELECT * FROM bin_rule_tags WHERE rule_id = \(id) ORDER BY rule_id, is_excluded, position")
        return try rules(rows, tags).first
    }

    /// An account's rules, or those of them about one kind, by id.
    public func binRules(
        of account: String, about kind: BinRuleRecord.Kind? = nil
    ) throws(CatalogFailure) -> [BinRuleRecord] {
        let rows = try connection.query("SELECT * FROM bin_rules WHERE account_id = \(account) ORDER BY id")
        guard !rows.isEmpty else { return [] }
        let tags = try connection.query(
            """
            SELECT bin_rule_tags.* FROM bin_rule_tags JOIN bin_rules ON bin_rules.id = bin_rule_tags.rule_id
            WHERE bin_rules.account_id = \(account) ORDER BY rule_id, is_excluded, position
            """)
        let rules = try rules(rows, tags)
        guard let kind else { return rules }
        return rules.filter { $0.kind == kind }
    }

    private func rules(_ rows: [SQLRow], _ tags: [SQLRow]) throws(CatalogFailure) -> [BinRuleRecord] {
        var tagsOf: [String: [BinRuleRecord.Tag]] = [:], excludedOf: [String: [BinRuleRecord.Tag]] = [:]
        for row in tags {
            let id = try row.text("rule_id")
            let tag = BinRuleRecord.Tag(key: try row.text("key"), value: try row.optionalText("value"))
            if try row.integer("is_excluded") != 0 {
                excludedOf[id, default: []].append(tag)
            } else {
                tagsOf[id, default: []].append(tag)
            }
        }
        var rules = try rows.records(BinRuleRecord.init)
        for index in rules.indices {
            rules[index].tags = tagsOf[rules[index].id] ?? []
            rules[index].excluded = excludedOf[rules[index].id] ?? []
        }
        return rules
    }

    /// Removes a rule and its own tags. No error if there is none.
    public func deleteBinRule(_ id: String) throws(CatalogFailure) {
        try removeTags(of: id)
        try connection.execute("DELETE FROM bin_rules WHERE id = \(id)")
    }

    /// Puts a snapshot into the bin, or takes it out.
    public func set(bin stay: BinStay?, ofSnapshot id: String) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE snapshots SET bin_since = \(stay?.since), bin_until = \(stay?.until) WHERE id = \(id)")
    }

    /// Puts a volume into the bin, or takes it out.
    public func set(bin stay: BinStay?, ofVolume id: String) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE volumes SET bin_since = \(stay?.since), bin_until = \(stay?.until) WHERE id = \(id)")
    }

    /// Puts an image into the bin, or takes it out.
    public func set(bin stay: BinStay?, ofImage id: String) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE images SET bin_since = \(stay?.since), bin_until = \(stay?.until) WHERE id = \(id)")
    }

    /// An account's images in the bin, by id.
    public func imagesInBin(of account: String) throws(CatalogFailure) -> [ImageRecord] {
        try connection.query(
            "SELECT * FROM images WHERE account_id = \(account) AND bin_until IS NOT NULL ORDER BY id"
        ).records(ImageRecord.init)
    }

    /// An account's snapshots in the bin, by id.
    public func snapshotsInBin(of account: String) throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query(
            "SELECT * FROM keyed_snapshots WHERE account_id = \(account) AND bin_until IS NOT NULL ORDER BY id"
        ).records(SnapshotRecord.init)
    }

    /// An account's volumes in the bin, by id.
    public func volumesInBin(of account: String) throws(CatalogFailure) -> [VolumeRecord] {
        try connection.query(
            "SELECT * FROM keyed_volumes WHERE account_id = \(account) AND bin_until IS NOT NULL ORDER BY id"
        ).records(VolumeRecord.init)
    }

    /// What is in the bin, of all accounts, what goes first at the front; at most `limit` of it.
    public func bin(limit: Int) throws(CatalogFailure) -> [BinnedObject] {
        try connection.query(
            """
            SELECT 'snapshot' AS kind, id, bin_until FROM snapshots WHERE bin_until IS NOT NULL
            UNION ALL SELECT 'volume' AS kind, id, bin_until FROM volumes WHERE bin_until IS NOT NULL
            UNION ALL SELECT 'image' AS kind, id, bin_until FROM images WHERE bin_until IS NOT NULL
            ORDER BY bin_until, id LIMIT \(limit)
            """
        ).records(BinnedObject.init)
    }
}

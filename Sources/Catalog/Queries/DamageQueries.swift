extension CatalogSession {
    /// Marks a snapshot as degraded, or replaces what is known; since when it is known stays.
    public func mark(_ damage: DamageRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO damage (snapshot_id, found_at, checked_at, bytes, is_map_damaged, run_count, runs, packs,
                problems)
            VALUES (\(damage.snapshotID), \(damage.foundAt), \(damage.checkedAt), \(damage.bytes),
                \(damage.isMapDamaged), \(damage.runCount), \(RunsText.text(damage.runs)),
                \(damage.packs.joined(separator: " ")), \(damage.problems.joined(separator: "\n")))
            ON CONFLICT (snapshot_id) DO UPDATE SET checked_at = excluded.checked_at, bytes = excluded.bytes,
                is_map_damaged = excluded.is_map_damaged, run_count = excluded.run_count, runs = excluded.runs,
                packs = excluded.packs, problems = excluded.problems
            """)
    }

    /// The snapshot is whole. No error if it was not marked.
    public func unmark(_ snapshot: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM damage WHERE snapshot_id = \(snapshot)")
    }

    /// What of a snapshot cannot be read, or nil if all can as far as is known.
    public func damage(of snapshot: String) throws(CatalogFailure) -> DamageRecord? {
        guard let row = try connection.query("SELECT * FROM damage WHERE snapshot_id = \(snapshot)").first else {
            return nil
        }
        return try DamageRecord(row)
    }

    /// Every mark.
    public func damages() throws(CatalogFailure) -> [DamageRecord] {
        try connection.query("SELECT * FROM damage ORDER BY snapshot_id").records(DamageRecord.init)
    }
}

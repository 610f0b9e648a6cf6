extension CatalogSession {
    /// Puts a snapshot into the archive, or takes it out.
    public func set(tier: TierRecord, ofSnapshot id: String) throws(CatalogFailure) {
        try connection.execute(
            """
            UPDATE snapshots SET tier_operation = \(tier.operation), tier_began_at = \(tier.beganAt),
                archived_at = \(tier.archivedAt), restore_until = \(tier.restoredUntil)
            WHERE id = \(id)
            """)
    }

    /// Takes away what nothing in the archive has: with whom it is shared, where it is restored fast, its export.
    public func strip(snapshot id: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM shares WHERE snapshot_id = \(id)")
        try deleteFastRestores(of: id)
        try withdrawSnapshot(id)
    }

    /// Snapshots of all accounts that are out of the archive for a time, what goes back first at the front; at most `limit`.
    public func temporaryRestores(limit: Int) throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query(
            """
            SELECT * FROM keyed_snapshots WHERE restore_until IS NOT NULL AND is_deleted = 0
            ORDER BY restore_until, id LIMIT \(limit)
            """
        ).records(SnapshotRecord.init)
    }
}

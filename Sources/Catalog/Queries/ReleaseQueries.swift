public import Blocks

extension CatalogSession {
    /// When a snapshot is deleted by itself; nil: never.
    public func set(releaseAt time: WallTime?, ofSnapshot id: String) throws(CatalogFailure) {
        try connection.execute("UPDATE snapshots SET release_at = \(time) WHERE id = \(id)")
    }

    /// Snapshots of all accounts that are there, cut and due, what was due first at the front; at most `limit`.
    ///
    /// - Parameter last: the one that the page before ended with; nil: from the front.
    public func dueReleases(
        at now: WallTime, after last: SnapshotRecord?, limit: Int
    ) throws(CatalogFailure) -> [SnapshotRecord] {
        let from = last?.releaseAt ?? WallTime(milliseconds: Int64.min)
        return try connection.query(
            """
            SELECT * FROM keyed_snapshots
            WHERE release_at <= \(now) AND is_deleted = 0 AND bin_until IS NULL AND state <> 'creating'
                AND (release_at > \(from) OR (release_at = \(from) AND id > \(last?.id ?? "")))
            ORDER BY release_at, id LIMIT \(limit)
            """
        ).records(SnapshotRecord.init)
    }

    /// When the next one after a time is due; nil: none is.
    public func nextRelease(after now: WallTime) throws(CatalogFailure) -> WallTime? {
        try connection.query(
            """
            SELECT release_at FROM snapshots WHERE release_at > \(now) AND is_deleted = 0 AND bin_until IS NULL
            ORDER BY release_at LIMIT 1
            """
        ).first?.time("release_at")
    }
}

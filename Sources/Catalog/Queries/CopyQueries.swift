extension CatalogSession {
    /// Records what is known of a copy once its source was looked at, and once it is settled what it builds on. Its lineage
    /// follows from both; nothing is stored of it before.
    public func placeCopy(_ snapshot: SnapshotRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            UPDATE snapshots SET volume_id = \(snapshot.volumeID), copy_placed = \(snapshot.copy?.isPlaced ?? false),
                lineage = \(snapshot.ownLineage)
            WHERE id = \(snapshot.id)
            """)
        try update(snapshot)
    }

    /// The copies that are under way, oldest first; deleted ones among them.
    public func pendingCopies() throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query(
            """
            SELECT * FROM keyed_snapshots WHERE state = 'pending' AND copy_source IS NOT NULL ORDER BY created_at, id
            """
        ).records(SnapshotRecord.init)
    }

    /// Those of them that read one snapshot of a region.
    public func pendingCopies(of source: String, in region: String) throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query(
            """
            SELECT * FROM keyed_snapshots
            WHERE copy_source = \(source) AND copy_region = \(region) AND state = 'pending' ORDER BY created_at, id
            """
        ).records(SnapshotRecord.init)
    }

    /// One account's copies of one volume's snapshots that are completed and not deleted, newest first.
    public func completedCopies(ofVolume volume: String, in account: String) throws(CatalogFailure) -> [SnapshotRecord]
    {
        try connection.query(
            """
            SELECT * FROM keyed_snapshots
            WHERE volume_id = \(volume) AND account_id = \(account) AND state = 'completed' AND is_deleted = 0
                AND copy_source IS NOT NULL
            ORDER BY created_at DESC, id DESC
            """
        ).records(SnapshotRecord.init)
    }

    /// Records a pack of a copy under way. Once more is no error.
    public func add(_ pack: CopiedPack, to snapshot: String) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO copy_packs (snapshot_id, number, runs)
            VALUES (\(snapshot), \(pack.number), \(RunsText.text(pack.runs)))
            ON CONFLICT (snapshot_id, number) DO UPDATE SET runs = excluded.runs
            """)
    }

    /// What was recorded so, by number.
    public func copiedPacks(of snapshot: String) throws(CatalogFailure) -> [CopiedPack] {
        try connection.query("SELECT * FROM copy_packs WHERE snapshot_id = \(snapshot) ORDER BY number").records {
            (row) throws(CatalogFailure) in
            CopiedPack(
                number: try row.integer("number"), runs: try RunsText.runs(try row.text("runs"), "copy_packs.runs"))
        }
    }

    /// The copy is whole, or given up: how far it was is of no use any more.
    public func deleteCopiedPacks(of snapshot: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM copy_packs WHERE snapshot_id = \(snapshot)")
    }
}

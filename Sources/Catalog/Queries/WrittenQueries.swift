extension CatalogSession {
    /// The snapshots that are being written, oldest first; deleted ones among them.
    public func pendingWritten() throws(CatalogFailure) -> [SnapshotRecord] {
        try connection.query(
            """
            SELECT * FROM keyed_snapshots WHERE state = 'pending' AND written_timeout IS NOT NULL ORDER BY created_at, id
            """
        ).records(SnapshotRecord.init)
    }

    /// Records that all of a snapshot is written: how many pieces, and their checksum if that was said.
    public func endWriting(of id: String, count: Int, checksum: String?) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE snapshots SET written_count = \(count), written_checksum = \(checksum) WHERE id = \(id)")
    }
}

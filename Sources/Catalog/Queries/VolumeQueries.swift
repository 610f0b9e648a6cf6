public import Blocks

extension CatalogSession {
    /// Adds a volume.
    public func insert(_ volume: VolumeRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO volumes (id, name, state, size, source_snapshot, created_at, files, aside_of,
                data_key, holes, account_id, zone, kind, iops, throughput, origin_snapshot, is_paced, is_fast_restored,
                source_volume, is_shared, fill_rate, description, made_empty)
            VALUES (\(volume.id), \(volume.name), \(volume.state), \(volume.size), \(volume.sourceSnapshot),
                \(volume.createdAt), \(volume.files), \(volume.asideOf), \(volume.dataKey),
                \(volume.holes.map(RunsText.text)), \(volume.account), \(volume.zone), \(volume.kind), \(volume.iops),
                \(volume.throughput), \(volume.originSnapshot), \(volume.isPaced), \(volume.isFastRestored),
                \(volume.sourceVolume), \(volume.isShared), \(volume.fillRate), \(volume.description),
                \(volume.isMadeEmpty))
            """)
    }

    /// Writes every column of a volume that exists, but for its holes, its owner, its origin and how that was restored.
    ///
    /// - Returns: false if there is none.
    @discardableResult
    public func update(_ volume: VolumeRecord) throws(CatalogFailure) -> Bool {
        try connection.execute(
            """
            UPDATE volumes SET name = \(volume.name), state = \(volume.state), size = \(volume.size),
                source_snapshot = \(volume.sourceSnapshot), files = \(volume.files), aside_of = \(volume.asideOf),
                data_key = \(volume.dataKey), zone = \(volume.zone), kind = \(volume.kind), iops = \(volume.iops),
                throughput = \(volume.throughput), is_paced = \(volume.isPaced),
                is_shared = \(volume.isShared), description = \(volume.description)
            WHERE id = \(volume.id)
            """) == 1
    }

    /// Where the volume has holes; nil: it may have none.
    public func setHoles(_ holes: [BlockRange]?, of volume: String) throws(CatalogFailure) {
        try connection.execute("UPDATE volumes SET holes = \(holes.map(RunsText.text)) WHERE id = \(volume)")
    }

    /// The volume, or nil.
    public func volume(_ id: String) throws(CatalogFailure) -> VolumeRecord? {
        guard let row = try connection.query("SELECT * FROM keyed_volumes WHERE id = \(id)").first else { return nil }
        return try VolumeRecord(row)
    }

    /// Every volume, oldest first, those that were set aside among them.
    public func volumes() throws(CatalogFailure) -> [VolumeRecord] {
        try connection.query("SELECT * FROM keyed_volumes ORDER BY created_at, id").records(VolumeRecord.init)
    }

    /// One account's volumes, oldest first, without those that were set aside or are in the bin.
    public func volumes(of account: String) throws(CatalogFailure) -> [VolumeRecord] {
        try connection.query(
            """
            SELECT * FROM keyed_volumes WHERE account_id = \(account) AND aside_of IS NULL AND bin_until IS NULL
            ORDER BY created_at, id
            """
        ).records(VolumeRecord.init)
    }

    /// Of those of `volumes` that still need a snapshot: those whose snapshot failed, or is gone. What they do not have of it nobody
    /// has.
    public func volumesWithLostSource(among volumes: [VolumeRecord]) throws(CatalogFailure) -> Set<String> {
        var lost: Set<String> = []
        for volume in volumes {
            guard let source = volume.sourceSnapshot else { continue }
            let row = try connection.query("SELECT state FROM snapshots WHERE id = \(source)").first
            let state = try row?.word("state", as: SnapshotRecord.State.self)
            if state == nil || state == .error { lost.insert(volume.id) }
        }
        return lost
    }

    /// The volumes whose missing blocks come from a snapshot.
    public func volumes(hydratingFrom snapshot: String) throws(CatalogFailure) -> [VolumeRecord] {
        try connection.query("SELECT * FROM keyed_volumes WHERE source_snapshot = \(snapshot) ORDER BY created_at, id")
            .records(VolumeRecord.init)
    }

    /// Removes a volume, its attachment and its tags. No error if there is none.
    public func deleteVolume(_ id: String) throws(CatalogFailure) {
        try removeTags(of: id)
        try connection.execute("DELETE FROM volumes WHERE id = \(id)")
    }
}

extension [SQLRow] {
    /// Each row as a record.
    func records<Record>(_ make: (SQLRow) throws(CatalogFailure) -> Record) throws(CatalogFailure) -> [Record] {
        var records: [Record] = []
        records.reserveCapacity(count)
        for row in self { records.append(try make(row)) }
        return records
    }
}

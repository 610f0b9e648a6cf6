extension CatalogSession {
    /// What its owner wants of a volume; the usual, if nothing was settled.
    public func wishes(ofVolume id: String) throws(CatalogFailure) -> VolumeWishesRecord {
        guard let row = try connection.query("SELECT * FROM volume_settings WHERE volume_id = \(id)").first else {
            return VolumeWishesRecord()
        }
        return try VolumeWishesRecord(row)
    }

    /// The same of all volumes of an account about which anything was settled, by volume.
    public func wishes(ofAllOf account: String) throws(CatalogFailure) -> [String: VolumeWishesRecord] {
        var wishes: [String: VolumeWishesRecord] = [:]
        for row in try connection.query(
            """
            SELECT volume_settings.* FROM volume_settings JOIN volumes ON volumes.id = volume_settings.volume_id
            WHERE volumes.account_id = \(account)
            """)
        {
            wishes[try row.text("volume_id")] = try VolumeWishesRecord(row)
        }
        return wishes
    }

    /// Settles it.
    public func set(_ wishes: VolumeWishesRecord, ofVolume id: String) throws(CatalogFailure) {
        let goes = wishes.goesWithInstance.map { $0 ? 1 : 0 }
        try connection.execute(
            """
            INSERT INTO volume_settings (volume_id, starts_io_itself, goes_with_instance, skips_policies,
                takes_policy_snapshots)
            VALUES (\(id), 0, \(goes), \(wishes.skipsPolicies), \(wishes.takesPolicySnapshots))
            ON CONFLICT (volume_id) DO UPDATE SET goes_with_instance = excluded.goes_with_instance,
                skips_policies = excluded.skips_policies, takes_policy_snapshots = excluded.takes_policy_snapshots
            """)
    }
}

/// What its owner wants of a volume.
public struct VolumeWishesRecord: Equatable, Sendable {
    /// Is it to be deleted with the next instance that it is put on? Nil: as is said then.
    public var goesWithInstance: Bool?
    /// Do policies leave it out?
    public var skipsPolicies = false
    /// Do the snapshots that policies took of it go with it?
    public var takesPolicySnapshots = false

    /// The usual.
    public init() {}

    init(_ row: SQLRow) throws(CatalogFailure) {
        goesWithInstance = try row.optionalInteger("goes_with_instance").map { $0 != 0 }
        skipsPolicies = try row.integer("skips_policies") != 0
        takesPolicySnapshots = try row.integer("takes_policy_snapshots") != 0
    }
}

extension CatalogSession {
    /// Is a volume to take I/O again by itself after it was found to be doubtful? Unless settled, it is not.
    public func startsIOItself(volume: String) throws(CatalogFailure) -> Bool {
        let rows = try connection.query("SELECT starts_io_itself FROM volume_settings WHERE volume_id = \(volume)")
        return try rows.first.map { (row) throws(CatalogFailure) in try row.integer("starts_io_itself") != 0 } ?? false
    }

    /// Settles that.
    public func set(startsIOItself starts: Bool, volume: String) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO volume_settings (volume_id, starts_io_itself) VALUES (\(volume), \(starts))
            ON CONFLICT (volume_id) DO UPDATE SET starts_io_itself = excluded.starts_io_itself
            """)
    }

    /// What is settled about an instance; the usual, if nothing was.
    public func settings(ofInstance id: String) throws(CatalogFailure) -> InstanceSettingsRecord {
        guard let row = try connection.query("SELECT * FROM instance_settings WHERE instance_id = \(id)").first else {
            return InstanceSettingsRecord()
        }
        return try InstanceSettingsRecord(row)
    }

    /// Settles it.
    public func set(_ settings: InstanceSettingsRecord, ofInstance id: String) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO instance_settings (instance_id, is_kept_running, ends_on_shutdown, user_data)
            VALUES (\(id), \(settings.isKeptRunning), \(settings.endsOnShutdown), \(settings.userData))
            ON CONFLICT (instance_id) DO UPDATE SET is_kept_running = excluded.is_kept_running,
                ends_on_shutdown = excluded.ends_on_shutdown, user_data = excluded.user_data
            """)
    }
}

/// What an instance's owner settled about it.
public struct InstanceSettingsRecord: Equatable, Sendable {
    /// Is it protected from being stopped?
    public var isKeptRunning = false
    /// Is it terminated, rather than stopped, when its system shuts down?
    public var endsOnShutdown = false
    /// What its owner wants it to find when it starts, in base64; nil: nothing.
    public var userData: String?

    /// The usual.
    public init() {}

    init(_ row: SQLRow) throws(CatalogFailure) {
        isKeptRunning = try row.integer("is_kept_running") != 0
        endsOnShutdown = try row.integer("ends_on_shutdown") != 0
        userData = try row.optionalText("user_data")
    }
}

extension Migration {
    /// 0044-volume-wishes: what else is settled about a volume: does it go with the next instance that it is put on (NULL: as is said
    /// then), do policies leave it out, and do the snapshots that policies took of it go with it?
    static let volumeWishes = Migration(
        number: 44, name: "volume-wishes",
        statements: [
            "ALTER TABLE volume_settings ADD COLUMN goes_with_instance @integer",
            "ALTER TABLE volume_settings ADD COLUMN skips_policies @integer NOT NULL DEFAULT 0",
            "ALTER TABLE volume_settings ADD COLUMN takes_policy_snapshots @integer NOT NULL DEFAULT 0",
        ])
}

extension Migration {
    /// 0025-images: what instances can be made from: disks, each with a snapshot's content.
    ///
    /// `source_snapshot` of a disk: its snapshot is to be a copy of that one, of the region `source_region`. A deregistered image
    /// stays for a while without disks, so that whoever ended it can see that it did. `account_id` of a share is twelve digits,
    /// or `all` for everybody.
    static let images = Migration(
        number: 25, name: "images",
        statements: [
            """
            CREATE TABLE images (
                id TEXT PRIMARY KEY,
                account_id TEXT NOT NULL REFERENCES accounts (id),
                name TEXT NOT NULL,
                description TEXT,
                state TEXT NOT NULL CHECK (state IN ('pending', 'available', 'failed', 'deregistered')),
                reason TEXT,
                architecture TEXT NOT NULL,
                virtualization TEXT NOT NULL,
                root_device TEXT NOT NULL,
                has_ena @integer NOT NULL,
                sriov TEXT,
                boot_mode TEXT,
                tpm TEXT,
                imds TEXT,
                is_disabled @integer NOT NULL,
                protection TEXT NOT NULL CHECK (protection IN ('off', 'on', 'cooldown')),
                protected_until @integer,
                deprecated_at @integer,
                source_instance TEXT,
                source_image TEXT,
                source_region TEXT,
                source_key TEXT,
                is_encrypted_copy @integer NOT NULL,
                created_at @integer NOT NULL,
                changed_at @integer NOT NULL,
                bin_since @integer,
                bin_until @integer
            ) @table
            """,
            "CREATE INDEX images_by_account ON images (account_id, created_at)",
            "CREATE INDEX images_by_bin ON images (bin_until)",
            """
            CREATE TABLE image_disks (
                image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
                device TEXT NOT NULL,
                snapshot_id TEXT,
                source_snapshot TEXT,
                size @integer NOT NULL,
                kind TEXT,
                iops @integer,
                throughput @integer,
                goes_with_instance @integer NOT NULL,
                PRIMARY KEY (image_id, device)
            ) @table
            """,
            "CREATE INDEX image_disks_by_snapshot ON image_disks (snapshot_id)",
            """
            CREATE TABLE image_shares (
                image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
                account_id TEXT NOT NULL,
                PRIMARY KEY (image_id, account_id)
            ) @table
            """,
            "CREATE INDEX image_shares_by_account ON image_shares (account_id)",
        ])
}

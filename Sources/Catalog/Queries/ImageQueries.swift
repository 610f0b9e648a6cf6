public import Blocks

extension CatalogSession {
    /// Adds an image with its disks.
    public func insert(_ image: ImageRecord, disks: [ImageDiskRecord]) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO images (id, account_id, name, description, state, reason, architecture, virtualization, root_device,
                has_ena, sriov, boot_mode, tpm, imds, is_disabled, protection, protected_until, deprecated_at,
                source_instance, source_image, source_region, source_key, is_encrypted_copy, created_at, changed_at)
            VALUES (\(image.id), \(image.account), \(image.name), \(image.description), \(image.state), \(image.reason),
                \(image.architecture), \(image.virtualization), \(image.rootDevice), \(image.hasENA), \(image.sriov),
                \(image.bootMode), \(image.tpm), \(image.imds), \(image.isDisabled), \(image.protection),
                \(image.protectedUntil), \(image.deprecatedAt), \(image.sourceInstance), \(image.sourceImage),
                \(image.sourceRegion), \(image.sourceKey), \(image.isEncryptedCopy), \(image.createdAt),
                \(image.changedAt))
            """)
        for disk in disks {
            try connection.execute(
                """
                INSERT INTO image_disks (image_id, device, snapshot_id, source_snapshot, size, kind, iops, throughput,
                    goes_with_instance)
                VALUES (\(image.id), \(disk.device), \(disk.snapshotID), \(disk.sourceSnapshot), \(disk.size),
                    \(disk.kind), \(disk.iops), \(disk.throughput), \(disk.goesWithInstance))
                """)
        }
    }

    /// Writes what of an image can change.
    ///
    /// - Returns: false if there is none.
    @discardableResult
    public func update(_ image: ImageRecord) throws(CatalogFailure) -> Bool {
        try connection.execute(
            """
            UPDATE images SET name = \(image.name), description = \(image.description), state = \(image.state), reason = \(image.reason),
                is_disabled = \(image.isDisabled), protection = \(image.protection),
                protected_until = \(image.protectedUntil), deprecated_at = \(image.deprecatedAt),
                changed_at = \(image.changedAt)
            WHERE id = \(image.id)
            """) == 1
    }

    /// The image, a deregistered one too, or nil.
    public func image(_ id: String) throws(CatalogFailure) -> ImageRecord? {
        guard let row = try connection.query("SELECT * FROM images WHERE id = \(id)").first else { return nil }
        return try ImageRecord(row)
    }

    /// One account's images that are there, oldest first.
    public func images(of account: String) throws(CatalogFailure) -> [ImageRecord] {
        try connection.query(
            """
            SELECT * FROM images WHERE account_id = \(account) AND state <> 'deregistered' AND bin_until IS NULL
            ORDER BY created_at, id
            """
        ).records(ImageRecord.init)
    }

    /// Other accounts' available images that are shared with this one or with everybody, oldest first.
    public func images(sharedWith account: String) throws(CatalogFailure) -> [ImageRecord] {
        try connection.query(
            """
            SELECT * FROM images WHERE account_id <> \(account) AND state = 'available' AND is_disabled = 0
                AND bin_until IS NULL AND id IN
                (SELECT image_id FROM image_shares WHERE account_id IN (\(account), \(ShareRecord.everybody)))
            ORDER BY created_at, id
            """
        ).records(ImageRecord.init)
    }

    /// The images that need a snapshot, oldest first: pending or available ones that are not in the bin.
    public func images(using snapshot: String) throws(CatalogFailure) -> [ImageRecord] {
        try connection.query(
            """
            SELECT * FROM images WHERE state IN ('pending', 'available') AND bin_until IS NULL
                AND id IN (SELECT image_id FROM image_disks WHERE snapshot_id = \(snapshot))
            ORDER BY created_at, id
            """
        ).records(ImageRecord.init)
    }

    /// Images with what belongs to them, in their order.
    public func whole(_ images: [ImageRecord]) throws(CatalogFailure) -> [WholeImage] {
        var whole: [WholeImage] = []
        var rest = images[...]
        while !rest.isEmpty {
            try add(Array(rest.prefix(Self.imagesAtOnce)), to: &whole)
            rest = rest.dropFirst(Self.imagesAtOnce)
        }
        return whole
    }

    private static var imagesAtOnce: Int { 500 }

    /// By one query of each table: a list of images is not to cost so many queries.
    private func add(_ images: [ImageRecord], to whole: inout [WholeImage]) throws(CatalogFailure) {
        let ids = SQL.list(images.map(\.id))
        var disks: [String: [ImageDiskRecord]] = [:], shares: [String: [String]] = [:],
            tags: [String: [String: String]] = [:]
        for disk in try imageDisks(where: "image_disks.image_id IN " + ids) {
            disks[disk.imageID, default: []].append(disk)
        }
        for row in try connection.query(
            "SELECT image_id, account_id FROM image_shares WHERE image_id IN " + ids + " ORDER BY account_id")
        {
            shares[try row.text("image_id"), default: []].append(try row.text("account_id"))
        }
        let marks = try connection.query("SELECT * FROM policy_images WHERE image_id IN " + ids)
            .records(PolicyImageRecord.init)
        let made = Dictionary(marks.map { ($0.imageID, $0) }) { first, _ in first }
        for row in try connection.query("SELECT object_id, key, value FROM tags WHERE object_id IN " + ids) {
            tags[try row.text("object_id"), default: [:]][try row.text("key")] = try row.text("value")
        }
        for image in images {
            whole.append(
                WholeImage(
                    image: image, disks: disks[image.id] ?? [], shares: shares[image.id] ?? [],
                    tags: tags[image.id] ?? [:], made: made[image.id]))
        }
    }

    /// An account's image of that name that is there, or nil.
    public func image(named name: String, of account: String) throws(CatalogFailure) -> ImageRecord? {
        try connection.query(
            """
            SELECT * FROM images WHERE account_id = \(account) AND name = \(name) AND state <> 'deregistered'
                AND bin_until IS NULL
            """
        ).records(ImageRecord.init).first
    }

    /// How many images an account has, those in the bin among them.
    public func imageCount(of account: String) throws(CatalogFailure) -> Int {
        try connection.query(
            "SELECT COUNT(*) AS count FROM images WHERE account_id = \(account) AND state <> 'deregistered'"
        ).first?.integer("count") ?? 0
    }

    /// An image's disks, by device.
    public func disks(ofImage id: String) throws(CatalogFailure) -> [ImageDiskRecord] {
        try imageDisks(where: "image_disks.image_id = \(id)")
    }

    private func imageDisks(where condition: SQL) throws(CatalogFailure) -> [ImageDiskRecord] {
        let sql: SQL = """
            SELECT image_disks.*, snapshots.data_key AS snapshot_key FROM image_disks
            LEFT JOIN snapshots ON snapshots.id = image_disks.snapshot_id WHERE
            """
        return try connection.query(sql + " " + condition + " ORDER BY image_disks.device").records(
            ImageDiskRecord.init)
    }

    /// Says what content a disk of an image has.
    public func set(snapshot: String, ofImage id: String, device: String) throws(CatalogFailure) {
        try connection.execute(
            "UPDATE image_disks SET snapshot_id = \(snapshot) WHERE image_id = \(id) AND device = \(device)")
    }

    /// Takes an image's disks, tags and shares away: nothing can be made of it any more.
    public func empty(image id: String) throws(CatalogFailure) {
        try removeTags(of: id)
        try connection.execute("DELETE FROM image_disks WHERE image_id = \(id)")
        try unshareImage(id)
    }

    /// Removes an image as if it had never been. No error if there is none.
    public func deleteImage(_ id: String) throws(CatalogFailure) {
        try removeTags(of: id)
        try deleteTokens(of: id)
        try connection.execute("DELETE FROM images WHERE id = \(id)")
    }

    /// Forgets images that were deregistered before `time`.
    public func deleteImages(deregisteredBefore time: WallTime) throws(CatalogFailure) {
        try connection.execute("DELETE FROM images WHERE state = 'deregistered' AND changed_at < \(time)")
    }

    // MARK: Sharing

    /// Who may make instances of an image: accounts' digits, or ``ShareRecord/everybody``; in order.
    public func shares(ofImage id: String) throws(CatalogFailure) -> [String] {
        var accounts: [String] = []
        for row in try connection.query(
            "SELECT account_id FROM image_shares WHERE image_id = \(id) ORDER BY account_id")
        {
            accounts.append(try row.text("account_id"))
        }
        return accounts
    }

    /// How many of an account's images are everybody's.
    public func publicImageCount(of account: String) throws(CatalogFailure) -> Int {
        try connection.query(
            """
            SELECT images.id FROM images JOIN image_shares ON image_shares.image_id = images.id
            WHERE images.account_id = \(account) AND image_shares.account_id = \(ShareRecord.everybody)
                AND bin_until IS NULL
            """
        ).count
    }

    /// Shares it. No error if it is shared so already.
    public func share(image id: String, with account: String) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO image_shares (image_id, account_id) VALUES (\(id), \(account))
            ON CONFLICT (image_id, account_id) DO NOTHING
            """)
    }

    /// Shares it no more, with one account or with any. No error if it was not.
    public func unshareImage(_ id: String, with account: String? = nil) throws(CatalogFailure) {
        if let account {
            try connection.execute("DELETE FROM image_shares WHERE image_id = \(id) AND account_id = \(account)")
        } else {
            try connection.execute("DELETE FROM image_shares WHERE image_id = \(id)")
        }
    }
}

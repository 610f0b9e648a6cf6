extension CatalogSession {
    /// Records that a volume is attached to a host, and that it was once, for good. No change if it is already.
    public func attachVolume(_ attachment: AttachmentRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO attachments (volume_id, host, device, goes_with_instance, export, attached_at)
            VALUES (\(attachment.objectID), \(attachment.host), \(attachment.device), \(attachment.goesWithInstance),
                \(attachment.export), \(attachment.attachedAt))
            ON CONFLICT (volume_id, host) DO NOTHING
            """)
        try connection.execute("UPDATE volumes SET was_attached = 1 WHERE id = \(attachment.objectID)")
    }

    /// Forgets a volume's attachment to one host. No error if there is none.
    public func detachVolume(_ id: String, from host: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM attachments WHERE volume_id = \(id) AND host = \(host)")
    }

    /// Forgets every attachment of a volume. No error if there is none.
    public func detachVolume(_ id: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM attachments WHERE volume_id = \(id)")
    }

    /// A volume's attachment, or nil; of several the first.
    public func volumeAttachment(_ id: String) throws(CatalogFailure) -> AttachmentRecord? {
        try volumeAttachments(ofVolume: id).first
    }

    /// A volume's attachments, oldest first: one, or if it is shared, several.
    public func volumeAttachments(ofVolume id: String) throws(CatalogFailure) -> [AttachmentRecord] {
        try volumeAttachments(where: "WHERE volume_id = \(id) ORDER BY attached_at, host")
    }

    /// The volumes attached to one host.
    public func volumeAttachments(to host: String) throws(CatalogFailure) -> [AttachmentRecord] {
        try volumeAttachments(where: "WHERE host = \(host) ORDER BY device")
    }

    /// Says whether a volume goes when an instance is terminated that has it.
    public func setGoesWithInstance(_ goes: Bool, volume: String, on host: String) throws(CatalogFailure) {
        try connection.execute(
            """
            UPDATE attachments SET goes_with_instance = \(goes) WHERE volume_id = \(volume) AND host = \(host)
            """)
    }

    /// Every attachment of a volume, those of one volume oldest first.
    public func volumeAttachments() throws(CatalogFailure) -> [AttachmentRecord] {
        try volumeAttachments(where: "ORDER BY volume_id, attached_at, host")
    }

    /// The attachments of one account's volumes, those of one volume oldest first.
    public func volumeAttachments(of account: String) throws(CatalogFailure) -> [AttachmentRecord] {
        try volumeAttachments(
            where: """
                WHERE volume_id IN (SELECT id FROM volumes WHERE account_id = \(account))
                ORDER BY volume_id, attached_at, host
                """)
    }

    private func volumeAttachments(where condition: SQL) throws(CatalogFailure) -> [AttachmentRecord] {
        try connection.query(
            """
            SELECT volume_id AS object_id, host, device, goes_with_instance, export, attached_at FROM attachments
            """ + " " + condition
        ).records(AttachmentRecord.init)
    }

    /// Records that a snapshot is exported. No change if it is already.
    public func exportSnapshot(_ attachment: AttachmentRecord) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO snapshot_exports (snapshot_id, host, attached_at)
            VALUES (\(attachment.objectID), \(attachment.host), \(attachment.attachedAt))
            ON CONFLICT (snapshot_id) DO NOTHING
            """)
    }

    /// Forgets a snapshot's export. No error if there is none.
    public func withdrawSnapshot(_ id: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM snapshot_exports WHERE snapshot_id = \(id)")
    }

    /// A snapshot's export, or nil.
    public func snapshotExport(_ id: String) throws(CatalogFailure) -> AttachmentRecord? {
        try snapshotExports(where: "WHERE snapshot_id = \(id)").first
    }

    /// Every exported snapshot.
    public func snapshotExports() throws(CatalogFailure) -> [AttachmentRecord] { try snapshotExports(where: "") }

    func snapshotExports(where condition: SQL) throws(CatalogFailure) -> [AttachmentRecord] {
        try connection.query(
            """
            SELECT snapshot_id AS object_id, host, NULL AS device, 0 AS goes_with_instance, snapshot_id AS export,
                attached_at
            FROM snapshot_exports
            """ + " " + condition
        ).records(AttachmentRecord.init)
    }
}

extension AttachmentRecord {
    init(_ row: SQLRow) throws(CatalogFailure) {
        self.init(
            objectID: try row.text("object_id"), host: try row.text("host"), device: try row.optionalText("device"),
            goesWithInstance: try row.integer("goes_with_instance") != 0, export: try row.text("export"),
            attachedAt: try row.time("attached_at"))
    }
}

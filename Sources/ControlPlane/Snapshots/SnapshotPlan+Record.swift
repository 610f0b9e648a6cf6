internal import Catalog
internal import Repository

extension SnapshotPlan {
    /// What is to be stored, as the record says.
    ///
    /// - Parameters:
    ///   - parent: what it builds on; nil: nothing.
    ///   - tags: what its manifest tells besides whose it is; nil is left out.
    init(_ record: SnapshotRecord, on parent: String?, tags: [String: String?]) throws {
        var tags = tags.compactMapValues { $0 }
        // The first account's carry none: so do those from before there were accounts, which may be committed already.
        tags["account"] = record.account == AccountRecord.first ? nil : record.account
        self.init(
            id: try StoreDoor.id(record.id), volume: record.volumeID, parent: try parent.map(StoreDoor.id),
            created: record.createdAt, name: record.name ?? "", description: record.description ?? "", tags: tags,
            dataKey: try record.dataKey.map(StoreDoor.dataKey))
    }
}

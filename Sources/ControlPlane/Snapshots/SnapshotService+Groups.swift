internal import Catalog

/// What its owner calls the snapshots that were taken together.
public struct SnapshotGroupView: Equatable, Sendable {
    /// `group-` and 17 hexadecimal digits.
    public var id: String
    /// The name its owner gave, or nil.
    public var name: String?
    /// What its owner says of it, or nil.
    public var description: String?
    /// Its own tags by key, beside those of its snapshots.
    public var tags: [String: String]
}

extension SnapshotService {
    /// The account's groups of which anything is known besides their snapshots, by their ids.
    public func groups() async throws -> [String: SnapshotGroupView] {
        try await ServiceError.about(.snapshot) {
            let (records, tags) = try await house.catalog.change { [caller] session in
                (
                    try session.snapshotGroups(of: caller.account),
                    try session.tags(ofAll: .snapshotGroups, in: caller.account)
                )
            }
            var groups = tags.reduce(into: [String: SnapshotGroupView]()) {
                $0[$1.key] = SnapshotGroupView(id: $1.key, tags: $1.value)
            }
            for record in records {
                groups[record.id] = SnapshotGroupView(
                    id: record.id, name: record.name, description: record.description, tags: tags[record.id] ?? [:])
            }
            return groups
        }
    }

    /// Gives a group another name or description; what is nil stays, what is empty is taken away. Its snapshots keep theirs.
    public func modify(group id: String, name: String?, description: String?) async throws {
        try await ServiceError.about(.snapshot) {
            try Limits.check(name: name?.isEmpty == true ? nil : name, .snapshot)
            try Limits.check(description: description, .snapshot)
            try caller.mayChange(.snapshot)
            try Identifier.group.check(id, .snapshot)
            try await house.catalog.change { [caller] session in
                let members = try session.snapshots(ofGroup: id).filter { $0.account == caller.account && $0.isPresent }
                guard let first = members.first else { throw Self.noGroup(id) }
                // One from before groups had names of their own is called as its first snapshot is.
                var group =
                    try session.snapshotGroup(id)
                    ?? SnapshotGroupRecord(
                        id: id, account: caller.account, name: first.name, description: first.description)
                if let name { group.name = name.isEmpty ? nil : name }
                if let description { group.description = description.isEmpty ? nil : description }
                try session.put(group)
            }
        }
    }

    static func noGroup(_ id: String) -> ServiceError {
        ServiceError(.missing, .snapshot, "there is no snapshot group \(id)")
    }
}

extension CatalogSession {
    /// An object's tags by key.
    public func tags(of object: String) throws(CatalogFailure) -> [String: String] {
        let rows = try connection.query("SELECT key, value FROM tags WHERE object_id = \(object)")
        var tags: [String: String] = [:]
        for row in rows { tags[try row.text("key")] = try row.text("value") }
        return tags
    }

    /// The tags of all objects of a kind, of one account, by object.
    public func tags(ofAll kind: TaggedKind, in account: String) throws(CatalogFailure) -> [String: [String: String]] {
        let rows =
            switch kind {
            case .volumes:
                try connection.query(
                    """
                    SELECT object_id, key, value FROM tags JOIN volumes ON volumes.id = tags.object_id
                    WHERE volumes.account_id = \(account)
                    """)
            case .snapshots:
                try connection.query(
                    """
                    SELECT object_id, key, value FROM tags JOIN snapshots ON snapshots.id = tags.object_id
                    WHERE snapshots.account_id = \(account)
                    """)
            case .instances:
                try connection.query(
                    """
                    SELECT object_id, key, value FROM tags JOIN instances ON instances.id = tags.object_id
                    WHERE instances.account_id = \(account)
                    """)
            case .snapshotGroups:
                try connection.query(
                    """
                    SELECT object_id, key, value FROM tags
                    WHERE object_id IN (SELECT group_id FROM snapshots WHERE account_id = \(account))
                    """)
            case .policies:
                try connection.query(
                    """
                    SELECT object_id, key, value FROM tags JOIN policies ON policies.id = tags.object_id
                    WHERE policies.account_id = \(account)
                    """)
            }
        var tags: [String: [String: String]] = [:]
        for row in rows { tags[try row.text("object_id"), default: [:]][try row.text("key")] = try row.text("value") }
        return tags
    }

    /// Writes a tag, replacing one with the same key.
    public func setTag(_ key: String, to value: String, on object: String) throws(CatalogFailure) {
        try connection.execute(
            """
            INSERT INTO tags (object_id, key, value) VALUES (\(object), \(key), \(value))
            ON CONFLICT (object_id, key) DO UPDATE SET value = excluded.value
            """)
    }

    /// Removes a tag; with `value`, only if it has that. No error if there is none.
    public func removeTag(_ key: String, value: String?, from object: String) throws(CatalogFailure) {
        if let value {
            try connection.execute(
                "DELETE FROM tags WHERE object_id = \(object) AND key = \(key) AND value = \(value)")
        } else {
            try connection.execute("DELETE FROM tags WHERE object_id = \(object) AND key = \(key)")
        }
    }

    /// Removes all tags of an object that goes, its owner's and those of accounts with which it is shared, and takes it out of its
    /// resource group.
    func removeTags(of object: String) throws(CatalogFailure) {
        try connection.execute("DELETE FROM tags WHERE object_id = \(object)")
        try connection.execute("DELETE FROM resource_groups WHERE object_id = \(object)")
        try connection.execute("DELETE FROM sharee_tags WHERE object_id = \(object)")
    }
}

/// What can have tags.
public enum TaggedKind: Sendable {
    case volumes, snapshots, snapshotGroups, instances, policies
}

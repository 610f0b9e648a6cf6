/// One step of the schema. Released ones are never edited: a mistake is mended by a later one.
struct Migration: Sendable {
    /// Its place in the order, from 1 without gaps.
    let number: Int
    /// Its name, recorded beside the number.
    let name: String
    /// Its statements, in order.
    let statements: [SQL]

    /// Every migration this version knows, in order.
    static let all = [
        first, setAside, encryption, care, accounts, tags, profiles, sharing, instances, modifications, locks, tokens,
        paces, bin, policies, copies, attributes, released, pages, runs, policyCopies,
        written, tiers, usage, images, metered, shareeTags, rates, fast, policyDuties, volumeCopies,
        rootReplacements, lineages, sharesInOrder, releases, sharedVolumes, fillRates, descriptions, tombstones,
        attachedOnce, resourceGroups, instantAccess, consistency, volumeWishes, keepsakes,
        instanceKeepsakes, snapshotGroups, rootStates, madeEmpty,
    ]

    /// Brings the schema up to date, each missing migration in a transaction of its own.
    ///
    /// - Throws: ``CatalogFailure/newerSchema(found:known:)`` when the database has one we do not know; nothing was
    ///   changed then.
    static func apply(_ migrations: [Migration] = all, to connection: any SQLConnection, at time: Int64) throws {
        precondition(migrations.map(\.number) == Array(1...max(1, migrations.count)))
        try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS migrations (
                number @integer PRIMARY KEY, name TEXT NOT NULL, applied_at @integer NOT NULL
            ) @table
            """)
        let applied = try connection.query("SELECT number, name FROM migrations ORDER BY number")
        let last = try applied.last?.integer("number") ?? 0
        guard last <= migrations.count else {
            throw CatalogFailure.newerSchema(found: last, known: migrations.count)
        }
        for (row, known) in zip(applied, migrations) where try row.text("name") != known.name {
            throw CatalogFailure.foreignMigration(number: known.number, found: try row.text("name"), known: known.name)
        }
        for migration in migrations.dropFirst(last) {
            try connection.transaction {
                for statement in migration.statements { try connection.execute(statement) }
                try connection.execute(
                    """
                    INSERT INTO migrations (number, name, applied_at)
                    VALUES (\(migration.number), \(migration.name), \(time))
                    """)
            }
        }
    }
}

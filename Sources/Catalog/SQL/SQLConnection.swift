/// One connection to a database: the seam behind which SQLite and PostgreSQL are alike.
///
/// Used by one thread at a time; calls block it. Every driver keeps the laws of `SQLConnectionLaw` in the tests.
public protocol SQLConnection: AnyObject {
    /// Runs a statement that answers no rows.
    ///
    /// - Returns: how many rows it inserted, updated or deleted.
    @discardableResult
    func execute(_ statement: SQL) throws(CatalogFailure) -> Int

    /// Runs a statement and collects its rows.
    func query(_ statement: SQL) throws(CatalogFailure) -> [SQLRow]

    /// Begins a transaction that may write and sees nobody else's half-done work.
    func begin() throws(CatalogFailure)
    /// Ends it: once this returned, what it wrote survives power loss.
    func commit() throws(CatalogFailure)
    /// Ends it without a trace. Never fails to end it.
    func rollBack()

    /// Gives back what the connection holds. Nothing may be called afterwards.
    func close()
}

extension SQLConnection {
    /// Runs `body` in a transaction: all of it happens, durably, or nothing. Transactions do not nest.
    public func transaction<R>(_ body: () throws -> R) throws -> R {
        try begin()
        do {
            let result = try body()
            try commit()
            return result
        } catch {
            rollBack()
            throw error
        }
    }
}

/// Why the catalog refused.
public enum CatalogFailure: Error, Equatable, Sendable {
    /// A rule of the schema was broken: a duplicate, a missing parent.
    case constraint(String)
    /// Another process holds the database for too long.
    case busy(String)
    /// The disk is full.
    case noSpace
    /// The file cannot be written or opened.
    case notAccessible(String)
    /// What is stored makes no sense: the file is damaged or is no database.
    case corrupt(String)
    /// The schema was made by a newer version.
    case newerSchema(found: Int, known: Int)
    /// A migration that was applied once is not the one known under its number.
    case foreignMigration(number: Int, found: String, known: String)
    /// The catalog was closed.
    case closed
    /// Anything else: a statement at fault.
    case statement(String)
}

extension CatalogFailure: CustomStringConvertible {
    /// One plain sentence.
    public var description: String {
        switch self {
        case .constraint(let text): "the catalog refuses a contradiction: \(text)"
        case .busy(let text): "another process holds the catalog: \(text)"
        case .noSpace: "the disk that holds the catalog is full"
        case .notAccessible(let text): "the catalog cannot be opened or written: \(text)"
        case .corrupt(let text): "the catalog is damaged: \(text)"
        case .newerSchema(let found, let known):
            "the catalog has schema \(found), this version knows \(known): use the newer version that made it"
        case .foreignMigration(let number, let found, let known):
            "the catalog's migration \(number) is \(found), not \(known): it was made by another program"
        case .closed: "the catalog is closed"
        case .statement(let text): "the catalog refused a statement: \(text)"
        }
    }
}

internal import CSQLite

// Safe: `handle` is open until `close()`, which runs at the latest in deinit; nothing hands it out.

/// SQLite in one file, journalled ahead (WAL), every commit synced.
///
/// Used by the thread that opened it (the library is opened without its own locks).
@safe public final class SQLiteConnection: SQLConnection {
    private let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]
    /// What everything took so far, in steps of the library's machine: unlike time, the same on every run.
    private(set) var steps = 0
    private var isOpen = true
    private var isInTransaction = false
    /// More different statements than the house has; past it the cache starts over.
    private static let statementsKept = 256

    /// Opens the file, making an empty database if there is none.
    public init(path: String) throws(CatalogFailure) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let status = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard status == SQLITE_OK, let opened = unsafe opened else {
            let failure = unsafe SQLiteConnection.failure(status, opened)
            unsafe sqlite3_close_v2(opened)
            throw failure
        }
        unsafe handle = opened
        do {
            try configure()
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    private func configure() throws(CatalogFailure) {
        unsafe sqlite3_busy_timeout(handle, 5000)
        _ = try query("PRAGMA journal_mode = WAL")
        try execute("PRAGMA synchronous = FULL")
        try execute("PRAGMA foreign_keys = ON")
        try execute("PRAGMA trusted_schema = OFF")
        guard case .integer(1) = try query("PRAGMA foreign_keys").first?.value("foreign_keys") else {
            throw .statement("this SQLite has no foreign keys")
        }
    }

    /// Runs a statement that answers no rows.
    @discardableResult
    public func execute(_ statement: SQL) throws(CatalogFailure) -> Int {
        let before = unsafe sqlite3_total_changes64(handle)
        let rows = try query(statement)
        precondition(rows.isEmpty, "a statement answered rows that nobody asked for")
        return unsafe Int(sqlite3_total_changes64(handle) - before)
    }

    /// Runs a statement and collects its rows.
    public func query(_ statement: SQL) throws(CatalogFailure) -> [SQLRow] {
        precondition(isOpen, "the connection is closed")
        let prepared = try prepare(statement.text(placeholder: { "?\($0)" }, word: Self.word))
        defer {
            steps += prepared.takeSteps()
            prepared.reset()
        }
        try prepared.bind(statement.values)
        var rows: [SQLRow] = []
        while let values = try prepared.step() {
            rows.append(SQLRow(columns: prepared.columns, values: values))
        }
        return rows
    }

    /// Takes the write lock at once, so that no transaction fails half-way for want of it.
    public func begin() throws(CatalogFailure) {
        precondition(!isInTransaction, "transactions do not nest")
        try execute("BEGIN IMMEDIATE")
        isInTransaction = true
    }
    /// Ends the transaction; FULL makes it durable.
    public func commit() throws(CatalogFailure) {
        precondition(isInTransaction)
        try execute("COMMIT")
        isInTransaction = false
    }
    /// Undoes the transaction. SQLite has undone some failures by itself already.
    public func rollBack() {
        guard isInTransaction else { return }
        isInTransaction = false
        if unsafe sqlite3_get_autocommit(handle) == 0 { _ = try? execute("ROLLBACK") }
    }

    /// Closes the file.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        statements.removeAll()
        unsafe sqlite3_close_v2(handle)
    }

    private func prepare(_ text: String) throws(CatalogFailure) -> SQLiteStatement {
        if let known = statements[text] { return known }
        if statements.count >= Self.statementsKept { statements.removeAll() }
        let prepared = unsafe try SQLiteStatement(text, on: handle)
        statements[text] = prepared
        return prepared
    }

    private static func word(_ word: SQLWord) -> String {
        switch word {
        case .integer: "INTEGER"
        case .blob: "BLOB"
        case .real: "REAL"
        case .table: "STRICT"
        }
    }

    /// What a status of the library means.
    static func failure(_ status: Int32, _ handle: OpaquePointer?) -> CatalogFailure {
        let said = unsafe sqlite3_errmsg(handle).map { unsafe String(cString: $0) }
        let text = said ?? "error \(status)"
        return switch status & 0xff {
        case SQLITE_CONSTRAINT: .constraint(text)
        case SQLITE_BUSY, SQLITE_LOCKED: .busy(text)
        case SQLITE_FULL: .noSpace
        case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt(text)
        case SQLITE_CANTOPEN, SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH, SQLITE_IOERR: .notAccessible(text)
        default: .statement(text)
        }
    }
}

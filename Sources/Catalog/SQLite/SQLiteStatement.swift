internal import CSQLite

/// One prepared statement. All pointers of the library's values stay in this file.
// Safe: `handle` is valid until deinit; `database` outlives it, because its owner drops all statements before closing.
@safe final class SQLiteStatement {
    private let handle: OpaquePointer
    private let database: OpaquePointer
    /// The names of the answer's columns.
    let columns: SQLColumns

    init(_ text: String, on database: OpaquePointer) throws(CatalogFailure) {
        var prepared: OpaquePointer?
        let status = unsafe sqlite3_prepare_v3(database, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard status == SQLITE_OK, let prepared = unsafe prepared else {
            throw unsafe SQLiteConnection.failure(status, database)
        }
        unsafe handle = prepared
        unsafe self.database = database
        columns = SQLColumns(
            unsafe (0..<sqlite3_column_count(prepared)).map { index in
                unsafe sqlite3_column_name(prepared, index).map { unsafe String(cString: $0) } ?? ""
            })
    }

    deinit { unsafe sqlite3_finalize(handle) }

    /// Sets every parameter.
    func bind(_ values: [SQLValue]) throws(CatalogFailure) {
        precondition(unsafe Int(sqlite3_bind_parameter_count(handle)) == values.count)
        for (index, value) in values.enumerated() {
            let status = bind(value, at: Int32(index + 1))
            if status != SQLITE_OK { throw unsafe SQLiteConnection.failure(status, database) }
        }
    }

    private func bind(_ value: SQLValue, at index: Int32) -> Int32 {
        // SQLITE_TRANSIENT, which C writes as a cast that does not import: the library copies before it returns.
        let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        return switch value {
        case .null: unsafe sqlite3_bind_null(handle, index)
        case .integer(let number): unsafe sqlite3_bind_int64(handle, index, number)
        case .real(let number): unsafe sqlite3_bind_double(handle, index, number)
        case .text(let text):
            unsafe sqlite3_bind_text(handle, index, text, Int32(text.utf8.count), copied)
        case .blob(let bytes):
            unsafe bytes.isEmpty
                ? sqlite3_bind_zeroblob(handle, index, 0)
                : sqlite3_bind_blob(handle, index, bytes, Int32(bytes.count), copied)
        }
    }

    /// The next row's values, or nil after the last.
    func step() throws(CatalogFailure) -> [SQLValue]? {
        let status = unsafe sqlite3_step(handle)
        if status == SQLITE_DONE { return nil }
        guard status == SQLITE_ROW else { throw unsafe SQLiteConnection.failure(status, database) }
        return columns.names.indices.map { value(Int32($0)) }
    }

    private func value(_ column: Int32) -> SQLValue {
        switch unsafe sqlite3_column_type(handle, column) {
        case SQLITE_INTEGER: return .integer(unsafe sqlite3_column_int64(handle, column))
        case SQLITE_FLOAT: return .real(unsafe sqlite3_column_double(handle, column))
        case SQLITE_NULL: return .null
        case SQLITE_TEXT:
            guard let text = unsafe sqlite3_column_text(handle, column) else { return .null }
            let count = unsafe Int(sqlite3_column_bytes(handle, column))
            return .text(unsafe String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self))
        default:
            let count = unsafe Int(sqlite3_column_bytes(handle, column))
            guard count > 0, let bytes = unsafe sqlite3_column_blob(handle, column) else { return .blob([]) }
            return .blob(unsafe [UInt8](UnsafeRawBufferPointer(start: bytes, count: count)))
        }
    }

    /// What it took since this was asked last, in steps of the library's machine.
    func takeSteps() -> Int { unsafe Int(sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1)) }

    /// Makes it ready to run again and forgets its values.
    func reset() {
        unsafe sqlite3_reset(handle)
        unsafe sqlite3_clear_bindings(handle)
    }
}

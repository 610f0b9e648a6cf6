import Blocks
import Testing

@testable import Catalog

@Suite struct SQLiteConnectionTests {
    @Test("SQLite keeps every law of a connection", arguments: SQLConnectionLaw.allCases)
    func law(_ law: SQLConnectionLaw) throws {
        let scratch = try Scratch()
        let connection = try SQLiteConnection(path: scratch.path + "/catalog.sqlite")
        try law.check(connection)
        connection.close()
    }

    @Test("the file is journalled ahead, synced at each commit, and holds to foreign keys")
    func settings() throws {
        let scratch = try Scratch()
        let connection = try SQLiteConnection(path: scratch.path + "/catalog.sqlite")
        #expect(try connection.query("PRAGMA journal_mode").first?.text("journal_mode") == "wal")
        #expect(try connection.query("PRAGMA synchronous").first?.integer("synchronous") == 2)
        #expect(try connection.query("PRAGMA foreign_keys").first?.integer("foreign_keys") == 1)
    }

    @Test("what one connection committed another one sees, and only that")
    func isolation() throws {
        let scratch = try Scratch()
        let first = try SQLiteConnection(path: scratch.path + "/catalog.sqlite")
        let second = try SQLiteConnection(path: scratch.path + "/catalog.sqlite")
        try first.execute("CREATE TABLE t (n @integer) @table")
        try first.begin()
        try first.execute("INSERT INTO t (n) VALUES (\(1))")
        #expect(try second.query("SELECT n FROM t").isEmpty)
        try first.commit()
        #expect(try second.query("SELECT n FROM t").count == 1)
    }

    @Test("a file that is no database is called damaged, a missing folder not accessible")
    func badFiles() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/catalog.sqlite"
        let file = try LocalDisk().open(path, .create)
        try [UInt8](repeating: 0x5a, count: 8192).readBytes { bytes throws(BlockFailure) in
            try file.write(bytes, at: 0, durably: false)
        }
        #expect {
            try SQLiteConnection(path: path)
        } throws: {
            guard case CatalogFailure.corrupt = $0 else { return false }
            return true
        }
        #expect {
            try SQLiteConnection(path: scratch.path + "/missing/catalog.sqlite")
        } throws: {
            guard case CatalogFailure.notAccessible = $0 else { return false }
            return true
        }
    }

    @Test("transactions do not nest") func nesting() async {
        await #expect(processExitsWith: .failure) {
            let connection = try SQLiteConnection(path: ":memory:")
            try connection.begin()
            try connection.begin()
        }
    }

    @Test("placeholders and words are each driver's own")
    func rendering() {
        let statement: SQL = "SELECT @integer FROM t WHERE a = \("x") AND b = \(nil as Int?) OR c = \(5)"
        #expect(
            statement.text(placeholder: { "$\($0)" }, word: { _ in "BIGINT" })
                == "SELECT BIGINT FROM t WHERE a = $1 AND b = $2 OR c = $3")
        #expect(statement.values == [.text("x"), .null, .integer(5)])
        let joined: SQL = "a \(1) " + "b \(2) c"
        #expect(joined.text(placeholder: { "?\($0)" }, word: { $0.rawValue }) == "a ?1 b ?2 c")
    }
}

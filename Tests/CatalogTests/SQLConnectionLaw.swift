import Catalog
import Testing

/// What every driver of ``SQLConnection`` promises. A new driver's suite runs `check` over `allCases`, with an empty
/// database for each.
enum SQLConnectionLaw: String, CaseIterable, Sendable {
    case valuesComeBackAsTheyWere
    case parametersAreNeverText
    case executeCountsRows
    case committedWorkStays
    case rolledBackWorkIsGone
    case aFailedBodyRollsBack
    case aFailedStatementLeavesTheTransactionUsable
    case duplicatesAreConstraintFailures
    case missingParentsAreConstraintFailures
    case childrenGoWithTheirParent
    case upsertReplaces
    case answersAreOrderedAndLimited
    case wrongTypesAreRefused
    case nonsenseIsAStatementFailure
    case statementsCanBeRepeatedWithOtherValues

    func check(_ connection: any SQLConnection) throws {
        try connection.execute(
            """
            CREATE TABLE things (id TEXT PRIMARY KEY, number @integer, weight @real, bytes @blob,
                CHECK (number <> 13)) @table
            """)
        try connection.execute(
            """
            CREATE TABLE parts (id TEXT PRIMARY KEY, thing TEXT NOT NULL REFERENCES things (id) ON DELETE CASCADE) @table
            """)
        switch self {
        case .valuesComeBackAsTheyWere: try values(connection)
        case .parametersAreNeverText: try parameters(connection)
        case .executeCountsRows: try counts(connection)
        case .committedWorkStays:
            _ = try connection.transaction { try insert("a", connection) }
            #expect(try ids(connection) == ["a"])
        case .rolledBackWorkIsGone:
            try connection.begin()
            try insert("a", connection)
            connection.rollBack()
            #expect(try ids(connection) == [])
        case .aFailedBodyRollsBack:
            struct Stop: Error {}
            #expect(throws: Stop.self) {
                try connection.transaction {
                    try insert("a", connection)
                    throw Stop()
                }
            }
            #expect(try ids(connection) == [])
            _ = try connection.transaction { try insert("b", connection) }
            #expect(try ids(connection) == ["b"])
        case .aFailedStatementLeavesTheTransactionUsable:
            try insert("a", connection)
            #expect(throws: CatalogFailure.self) {
                try connection.transaction {
                    try insert("b", connection)
                    try insert("a", connection)
                }
            }
            _ = try connection.transaction { try insert("c", connection) }
            #expect(try ids(connection) == ["a", "c"])
        case .duplicatesAreConstraintFailures:
            try insert("a", connection)
            expectConstraint { try insert("a", connection) }
            expectConstraint { try connection.execute("INSERT INTO things (id, number) VALUES (\("b"), \(13))") }
        case .missingParentsAreConstraintFailures:
            expectConstraint {
                try connection.transaction {
                    try connection.execute("INSERT INTO parts (id, thing) VALUES (\("p"), \("nobody"))")
                }
            }
        case .childrenGoWithTheirParent:
            try insert("a", connection)
            try connection.execute("INSERT INTO parts (id, thing) VALUES (\("p"), \("a"))")
            try connection.execute("DELETE FROM things WHERE id = \("a")")
            #expect(try connection.query("SELECT id FROM parts").isEmpty)
        case .upsertReplaces:
            for number in [1, 2] {
                try connection.execute(
                    """
                    INSERT INTO things (id, number) VALUES (\("a"), \(number))
                    ON CONFLICT (id) DO UPDATE SET number = excluded.number
                    """)
            }
            #expect(try connection.query("SELECT number FROM things").map { try $0.integer("number") } == [2])
        case .answersAreOrderedAndLimited:
            for id in ["c", "a", "d", "b"] { try insert(id, connection) }
            let rows = try connection.query("SELECT id FROM things ORDER BY id DESC LIMIT \(3)")
            #expect(try rows.map { try $0.text("id") } == ["d", "c", "b"])
        case .wrongTypesAreRefused:
            #expect(throws: CatalogFailure.self) {
                try connection.execute("INSERT INTO things (id, number) VALUES (\("a"), \("many"))")
            }
        case .nonsenseIsAStatementFailure:
            for nonsense: SQL in ["SELECT", "SELECT nothing FROM things", "SELECT * FROM nowhere"] {
                do {
                    _ = try connection.query(nonsense)
                    Issue.record("\(nonsense) was taken")
                } catch {
                    guard case .statement = error else {
                        Issue.record("\(error)")
                        continue
                    }
                }
            }
        case .statementsCanBeRepeatedWithOtherValues:
            for round in 0..<1000 {
                try connection.execute(
                    "INSERT INTO things (id, number) VALUES (\("t\(round)"), \(round == 13 ? nil : round))")
                let row = try #require(
                    try connection.query("SELECT number FROM things WHERE id = \("t\(round)")").first)
                #expect(try row.optionalInteger("number") == (round == 13 ? nil : round))
            }
        }
    }

    private func values(_ connection: any SQLConnection) throws {
        let texts = [
            "", "plain", "quote ' \" ; --", "ünïcødé 雪 🏔", String(repeating: "x", count: 100_000), "?1 $1 @nothing",
        ]
        let numbers: [Int64?] = [nil, 0, 1, -1, .max, .min, 1 << 32, 64 << 40]
        let blobs: [[UInt8]] = [[], [0], [0, 255, 0], Array(repeating: 7, count: 70_000)]
        for text in texts {
            for number in numbers {
                for blob in blobs {
                    try connection.execute(
                        """
                        INSERT INTO things (id, number, weight, bytes)
                        VALUES (\(text), \(number), \(0.1), \(SQLValue.blob(blob)))
                        """)
                    let row = try #require(
                        try connection.query("SELECT * FROM things WHERE id = \(text)").first)
                    #expect(try row.text("id") == text)
                    #expect(try row.value("number") == number.map { .integer($0) } ?? .null)
                    #expect(try row.real("weight") == 0.1)
                    #expect(try row.value("bytes") == .blob(blob))
                    try connection.execute("DELETE FROM things")
                }
            }
        }
    }

    private func parameters(_ connection: any SQLConnection) throws {
        let evil = "x'); DROP TABLE things; --"
        try insert(evil, connection)
        #expect(try ids(connection) == [evil])
        #expect(try connection.query("SELECT id FROM things WHERE id = \("' OR 1=1")").isEmpty)
    }

    private func counts(_ connection: any SQLConnection) throws {
        for id in ["a", "b", "c"] { #expect(try insert(id, connection) == 1) }
        #expect(try connection.execute("UPDATE things SET number = \(1) WHERE id > \("a")") == 2)
        #expect(try connection.execute("UPDATE things SET number = \(1) WHERE id = \("z")") == 0)
        #expect(try connection.execute("DELETE FROM things") == 3)
    }

    @discardableResult
    private func insert(_ id: String, _ connection: any SQLConnection) throws -> Int {
        try connection.execute("INSERT INTO things (id) VALUES (\(id))")
    }
    private func ids(_ connection: any SQLConnection) throws -> [String] {
        try connection.query("SELECT id FROM things ORDER BY id").map { try $0.text("id") }
    }
    private func expectConstraint(_ body: () throws -> some Any) {
        do {
            _ = try body()
            Issue.record("a broken rule was accepted")
        } catch CatalogFailure.constraint {
        } catch {
            Issue.record("\(error)")
        }
    }
}

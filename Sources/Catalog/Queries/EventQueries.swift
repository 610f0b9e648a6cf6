public import Blocks

extension CatalogSession {
    /// Adds an event as the last one.
    public func insert(_ event: EventRecord) throws(CatalogFailure) {
        let last = try connection.query("SELECT COALESCE(MAX(number), 0) AS number FROM events").first
        let number = (try last?.integer("number") ?? 0) + 1
        try connection.execute(
            """
            INSERT INTO events (number, at, account_id, principal, access_key, verb, action, door, address, request_id,
                cause, outcome, unrecorded)
            VALUES (\(number), \(event.at), \(event.account), \(event.principal), \(event.accessKey), \(event.verb),
                \(event.action), \(event.door), \(event.address), \(event.requestID), \(event.cause), \(event.outcome),
                \(event.unrecorded))
            """)
        for (position, subject) in event.subjects.enumerated() {
            try connection.execute(
                """
                INSERT INTO event_subjects (number, position, subject_id) VALUES (\(number), \(position), \(subject))
                """)
        }
    }

    /// An account's events, newest first.
    public func events(of account: String, _ wanted: EventSelection) throws(CatalogFailure) -> [EventRecord] {
        var sql: SQL = "SELECT * FROM events WHERE account_id = \(account)"
        if let time = wanted.since { sql = sql + " AND at >= \(time)" }
        if let time = wanted.until { sql = sql + " AND at < \(time)" }
        if let number = wanted.before { sql = sql + " AND number < \(number)" }
        if wanted.onlyFailed { sql = sql + " AND outcome <> \(EventRecord.ok)" }
        if let subject = wanted.subject {
            sql = sql + " AND number IN (SELECT number FROM event_subjects WHERE subject_id = \(subject))"
        }
        var events = try connection.query(sql + " ORDER BY number DESC LIMIT \(wanted.limit)").records(EventRecord.init)
        guard let first = events.last?.number, let last = events.first?.number else { return [] }
        let rows = try connection.query(
            """
            SELECT event_subjects.* FROM event_subjects JOIN events ON events.number = event_subjects.number
            WHERE events.account_id = \(account) AND events.number >= \(first) AND events.number <= \(last)
            ORDER BY event_subjects.number, position
            """)
        var subjects: [Int: [String]] = [:]
        for row in rows { subjects[try row.integer("number"), default: []].append(try row.text("subject_id")) }
        for index in events.indices { events[index].subjects = subjects[events[index].number] ?? [] }
        return events
    }

    /// Forgets the oldest events from before a time.
    ///
    /// - Returns: how many, at most `limit`.
    public func deleteEvents(before time: WallTime, limit: Int) throws(CatalogFailure) -> Int {
        try connection.execute(
            "DELETE FROM events WHERE number IN (SELECT number FROM events WHERE at < \(time) ORDER BY at LIMIT \(limit))"
        )
    }

    /// Forgets an account's events, but for the last `count`.
    ///
    /// - Returns: how many, at most `limit`.
    public func deleteEvents(of account: String, allBut count: Int, limit: Int) throws(CatalogFailure) -> Int {
        try connection.execute(
            """
            DELETE FROM events WHERE number IN (
                SELECT number FROM events WHERE account_id = \(account) ORDER BY number DESC LIMIT \(limit) OFFSET \(count))
            """)
    }

    /// Every account that has events, deleted ones too.
    public func accountsWithEvents() throws(CatalogFailure) -> [String] {
        var accounts: [String] = []
        for row in try connection.query("SELECT DISTINCT account_id FROM events") {
            accounts.append(try row.text("account_id"))
        }
        return accounts
    }
}

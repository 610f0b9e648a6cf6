/// Hours are counted since 1970, UTC.
extension CatalogSession {
    /// The setting with the first hour that is not metered.
    private static let hourSetting = "usage-hour"

    /// The first hour that is not metered; nil: none ever was.
    public func usageHour() throws(CatalogFailure) -> Int? { try setting(Self.hourSetting).flatMap { Int($0) } }

    /// Meters every hour up to and with `hour` that is not metered yet, by what is there now; those that are, never again.
    ///
    /// Two statements look at each object once (an index lookup each) and write only where something has come, gone or changed:
    /// what stays as it is costs no row.
    ///
    /// - Returns: false if there was nothing to do.
    @discardableResult
    public func meterUsage(through hour: Int) throws(CatalogFailure) -> Bool {
        let first = try usageHour() ?? hour
        guard first <= hour else { return false }
        try connection.execute(
            """
            UPDATE usage_spans SET until_hour = \(first)
            WHERE until_hour IS NULL AND NOT EXISTS (
                SELECT 1 FROM metered_objects AS now
                WHERE now.id = usage_spans.object_id AND now.bytes = usage_spans.bytes AND now.type = usage_spans.type)
            """)
        // What was made while nobody metered counts from the hour that it was made in.
        try connection.execute(
            """
            INSERT INTO usage_spans (object_id, from_hour, until_hour, account_id, kind, type, source_id, bytes)
            SELECT id, CASE WHEN since / 3600000 > \(hour) THEN \(hour)
                    WHEN since / 3600000 > \(first) THEN since / 3600000 ELSE \(first) END,
                NULL, account_id, kind, type, source_id, bytes
            FROM metered_objects AS now
            WHERE NOT EXISTS (SELECT 1 FROM usage_spans AS open WHERE open.object_id = now.id AND open.until_hour IS NULL)
            """)
        try set(Self.hourSetting, to: String(hour + 1))
        return true
    }

    /// An account's usage in some hours, summed up; of days that were rolled up, see ``rolledUsage(of:days:)``.
    public func usage(
        of account: String, in hours: Range<Int>, by grouping: UsageGrouping
    ) throws(CatalogFailure) -> [UsageSum] {
        let metered = try usageHour() ?? 0
        let (key, only): (SQL, SQL) =
            switch grouping {
            case .nothing: ("''", "1 = 1")
            case .object(let kind): ("object_id", "kind = \(kind)")
            case .volume: ("COALESCE(source_id, object_id)", "1 = 1")
            }
        let head: SQL = "SELECT " + key + " AS key, kind, type,"
        return try connection.query(
            head + """
                 SUM(CAST(bytes AS @real) * (end_hour - start_hour)) AS byte_hours
                FROM (
                """ + Self.cut(hours, metered, of: account) + ") AS cut WHERE " + only + " GROUP BY " + key
                + ", kind, type ORDER BY " + key + ", kind, type"
        ).records(UsageSum.init)
    }

    /// The same as it went on: what was there from when to when.
    public func usageLevels(of account: String, in hours: Range<Int>) throws(CatalogFailure) -> [UsageLevel] {
        let metered = try usageHour() ?? 0
        return try connection.query(
            """
            SELECT kind, type, start_hour, end_hour, SUM(CAST(bytes AS @real)) AS bytes FROM (
            """ + Self.cut(hours, metered, of: account) + """
                ) AS cut GROUP BY kind, type, start_hour, end_hour ORDER BY start_hour, end_hour, kind, type
                """
        ).records(UsageLevel.init)
    }

    /// An account's spans as far as they are in `hours`.
    private static func cut(_ hours: Range<Int>, _ metered: Int, of account: String) -> SQL {
        let (first, end) = (hours.lowerBound, min(hours.upperBound, metered))
        return """
            SELECT object_id, kind, type, source_id, bytes,
                CASE WHEN from_hour < \(first) THEN \(first) ELSE from_hour END AS start_hour,
                CASE WHEN until_hour IS NULL OR until_hour > \(end) THEN \(end) ELSE until_hour END AS end_hour
            FROM usage_spans
            WHERE account_id = \(account) AND from_hour < \(end) AND (until_hour IS NULL OR until_hour > \(first))
            """
    }

    /// An account's usage of days that were rolled up, by day; the key is the day's number since 1970.
    public func rolledUsage(of account: String, days: Range<Int>) throws(CatalogFailure) -> [UsageSum] {
        try connection.query(
            """
            SELECT CAST(day AS TEXT) AS key, kind, type, byte_hours FROM usage_days
            WHERE account_id = \(account) AND day >= \(days.lowerBound) AND day < \(days.upperBound)
            ORDER BY day, kind, type
            """
        ).records(UsageSum.init)
    }

    /// Keeps of spans that ended by `hour` no more than each day's sums by account, kind and type; at most `limit` at once.
    ///
    /// - Returns: how many spans there were.
    public func rollUpUsage(endedBy hour: Int, limit: Int) throws(CatalogFailure) -> Int {
        let rows = try connection.query(
            """
            SELECT * FROM usage_spans WHERE until_hour <= \(hour) ORDER BY until_hour, object_id, from_hour LIMIT \(limit)
            """)
        var sums: [[String]: [Int: Double]] = [:]
        for row in rows {
            let key = [try row.text("account_id"), try row.text("kind"), try row.text("type")]
            let hours = try row.integer("from_hour")..<row.integer("until_hour")
            let bytes = Double(try row.integer("bytes"))
            for (day, count) in hours.hoursByDay { sums[key, default: [:]][day, default: 0] += bytes * Double(count) }
        }
        for (key, days) in sums {
            for (day, byteHours) in days {
                try connection.execute(
                    """
                    INSERT INTO usage_days (day, account_id, kind, type, byte_hours)
                    VALUES (\(day), \(key[0]), \(key[1]), \(key[2]), \(byteHours))
                    ON CONFLICT (account_id, day, kind, type)
                    DO UPDATE SET byte_hours = usage_days.byte_hours + excluded.byte_hours
                    """)
            }
        }
        for row in rows {
            try connection.execute(
                """
                DELETE FROM usage_spans
                WHERE object_id = \(try row.text("object_id")) AND from_hour = \(try row.integer("from_hour"))
                """)
        }
        return rows.count
    }

    /// Forgets days before `day`.
    public func deleteUsage(beforeDay day: Int) throws(CatalogFailure) {
        try connection.execute("DELETE FROM usage_days WHERE day < \(day)")
    }
}

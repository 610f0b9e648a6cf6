public import Blocks

extension CatalogSession {
    /// When something was asked of a volume after `start`, as far as it was noted, in order.
    public func requests(
        _ rate: String, ofVolume id: String, after start: WallTime
    ) throws(CatalogFailure) -> [WallTime] {
        var times: [WallTime] = []
        for row in try connection.query(
            """
            SELECT asked_at, count FROM rated_requests
            WHERE volume_id = \(id) AND rate = \(rate) AND asked_at > \(start) ORDER BY asked_at
            """)
        {
            let time = try row.time("asked_at")
            for _ in 0..<(try row.integer("count")) { times.append(time) }
        }
        return times
    }

    /// Notes that it was asked, and forgets when it was asked up to `start`.
    public func note(
        _ rate: String, ofVolume id: String, at now: WallTime, forgettingUntil start: WallTime
    ) throws(CatalogFailure) {
        try connection.execute(
            "DELETE FROM rated_requests WHERE volume_id = \(id) AND rate = \(rate) AND asked_at <= \(start)")
        try connection.execute(
            """
            INSERT INTO rated_requests (volume_id, rate, asked_at, count) VALUES (\(id), \(rate), \(now), 1)
            ON CONFLICT (volume_id, rate, asked_at) DO UPDATE SET count = rated_requests.count + 1
            """)
    }
}

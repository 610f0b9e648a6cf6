public import Blocks
internal import Catalog
internal import FoundationEssentials

/// The verbs on usage and prices. Every error is a ``ServiceError``.
public struct UsageService: Sendable {
    let house: Household
    let caller: Caller

    init(_ house: Household, _ caller: Caller) {
        self.house = house
        self.caller = caller
    }

    /// Days that may be asked for at once.
    private static let daysMax = 3700

    /// What an account used: one's own, or any for whoever runs the house.
    ///
    /// - Parameters:
    ///   - start: nil: the beginning of the month. To the hour; what is so long ago that only days are known, to the day.
    ///   - end: nil: now.
    public func report(
        from start: WallTime? = nil, to end: WallTime? = nil, by: UsageBy = .region, account: String? = nil
    ) async throws -> UsageReport {
        try await ServiceError.about(.house) {
            let account = try await house.account(account, for: caller)
            let now = house.clock.now()
            let end = end ?? WallTime(milliseconds: Int64(Meter.hour(of: now) + 1) * 3_600_000)
            let start = start ?? Self.monthBegin(of: min(end, now))
            guard start < end, start.isReadable, end.isReadable, start.milliseconds >= 0 else {
                throw ServiceError(.invalid, .house, "usage from \(start) to \(end): the end must be after the start")
            }
            let hours = Meter.hour(of: start)..<max(Meter.hour(of: start) + 1, Meter.hour(of: end))
            guard hours.count <= Self.daysMax * 24 else {
                throw ServiceError(
                    .invalid, .house, "usage from \(start) to \(end): at most \(Self.daysMax) days at once")
            }
            let prices = try await prices()
            let places = by == .region ? house.neighbours.all : [house]
            var rows: [UsageRow] = []
            for place in places {
                let found = try await Self.sums(of: account, hours, by, place)
                rows += found.map { UsageRow($0, prices, in: place.region.name) }
            }
            let metered = try await house.catalog.change { try $0.usageHour() } ?? Meter.hour(of: now)
            let costs = rows.compactMap(\.cost)
            return UsageReport(
                accountId: account, from: Self.time(hours.lowerBound), to: Self.time(hours.upperBound),
                meteredTo: Self.time(metered), by: by, currency: prices.regions.isEmpty ? nil : prices.currency,
                rows: rows, cost: costs.isEmpty ? nil : costs.reduce(0, +))
        }
    }

    private static func sums(
        of account: String, _ hours: Range<Int>, _ by: UsageBy, _ house: Household
    ) async throws -> [UsageSum] {
        let days = hours.lowerBound / 24..<(hours.upperBound + 23) / 24
        let region = house.region.name
        // One transaction, in which nothing is rolled up.
        let (exact, levels, rolled) = try await house.catalog.change { session in
            let exact: [UsageSum] =
                switch by {
                case .region: try session.usage(of: account, in: hours, by: .nothing)
                case .volume: try session.usage(of: account, in: hours, by: .volume)
                case .snapshot: try session.usage(of: account, in: hours, by: .object(.snapshot))
                case .day: []
                }
            return (
                exact, by == .day ? try session.usageLevels(of: account, in: hours) : [],
                try session.rolledUsage(of: account, days: days)
            )
        }
        switch by {
        case .region: return together(exact + rolled) { _ in region }
        case .volume: return exact + together(rolled) { _ in "earlier" }
        case .snapshot: return exact + together(rolled.filter { $0.kind == .snapshot }) { _ in "earlier" }
        case .day:
            return together(daily(levels) + rolled) { day in
                String(time((Int(day) ?? 0) * 24).description.prefix(10))
            }
        }
    }

    /// Sums up what has the same key, kind and type, under another key.
    private static func together(_ sums: [UsageSum], by key: (String) -> String) -> [UsageSum] {
        var all: [[String]: UsageSum] = [:]
        for var sum in sums {
            sum.key = key(sum.key)
            let place = [sum.key, sum.kind.rawValue, sum.type]
            sum.byteHours += all[place]?.byteHours ?? 0
            all[place] = sum
        }
        return all.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }

    private static func daily(_ levels: [UsageLevel]) -> [UsageSum] {
        var sums: [[String]: [Int: Double]] = [:]
        for level in levels {
            for (day, count) in level.hours.hoursByDay {
                sums[[level.kind.rawValue, level.type], default: [:]][day, default: 0] += level.bytes * Double(count)
            }
        }
        return sums.flatMap { key, days in
            days.map { day, byteHours in
                UsageSum(
                    key: String(day), kind: MeteredKind(rawValue: key[0]) ?? .volume, type: key[1], byteHours: byteHours
                )
            }
        }
    }

    private static func time(_ hour: Int) -> WallTime { WallTime(milliseconds: Int64(hour) * 3_600_000) }

    private static func monthBegin(of time: WallTime) -> WallTime {
        WallTime("\(time.description.prefix(7))-01T00:00:00Z") ?? time
    }

    // MARK: Prices

    /// What things cost, the same for all accounts.
    public func prices() async throws -> PriceTable {
        try await ServiceError.about(.house) {
            guard let text = try await house.head.catalog.change({ try $0.setting(PriceTable.setting) }) else {
                return PriceTable.none
            }
            return try JSONDecoder().decode(PriceTable.self, from: Data(text.utf8))
        }
    }

    /// Sets what things cost, from now on and for what was used already.
    public func set(_ prices: PriceTable) async throws -> PriceTable {
        try await ServiceError.about(.house) {
            try caller.mustRunHouse(.house)
            try prices.check()
            let text = String(decoding: try JSONEncoder().encode(prices), as: UTF8.self)
            try await house.head.catalog.change { try $0.set(PriceTable.setting, to: text) }
            return prices
        }
    }
}

extension UsageRow {
    init(_ sum: UsageSum, _ prices: PriceTable, in region: String) {
        let kind: Kind =
            switch sum.kind {
            case .snapshot: .snapshot
            case .volume: .volume
            }
        let months = sum.byteHours / Double(1 << 30) / PriceTable.monthHours
        self.init(
            key: sum.key, kind: kind, type: sum.type, byteHours: sum.byteHours, gibMonths: months,
            cost: prices.price(of: kind, sum.type, in: region).map { $0 * months })
    }
}

internal import Blocks
internal import Catalog

/// Notes once an hour what takes space in whose name.
///
/// An hour (of UTC) is metered by what is there when it is metered: at its beginning, or, when the server comes up in it, then. Hours
/// in which no server ran are metered when the next one comes up, before anybody can change anything, so by what was there all the
/// while; what was made since then counts from the hour it was made in. What comes and goes within one hour may count for nothing.
///
/// Which hours are metered is in the catalog, and moved on in the transaction that meters them: a kill at any moment loses none and
/// meters none twice. A clock that goes back meters nothing until it has caught up.
///
/// What is stored is spans, one for as long as an object stays as it is: 100,000 snapshots cost one look at each an hour and a row
/// for each that came, went or changed. Spans that ended long ago become sums by day, which are forgotten after years: so the tables
/// are bounded by what is there, what changed lately, and the days.
final class Meter: Sendable {
    private struct State {
        /// The last hour that is known to be metered, and the one after whose metering all was tidied.
        var metered: Int?
        var tidied: Int?
        /// No sooner than that by the clock, after a failure.
        var notBefore: WallTime?
    }
    private let state = Guarded(State())
    private let rounds = Rounds()
    private static let pauseAfterFailure = Duration.seconds(10)
    /// How long spans stay what they are.
    static let spanDays = 62
    /// How long sums of days are kept.
    static let dayCount = 1100
    private static let spansAtOnce = 1000

    /// Meters what is not metered yet, then goes on with it.
    func open(_ house: Household) async {
        await meter(house)
        rounds.open { [self] in await turn(house) }
    }

    /// Ends after the turn at hand.
    func close() async { await rounds.close() }

    /// Does what is to be done now.
    func turn(_ house: Household) async {
        await meter(house)
        let now = house.clock.now()
        let untidy = state.withLock { state -> Int? in
            guard let hour = state.metered, state.tidied.map({ $0 < hour }) ?? true else { return nil }
            return state.notBefore.map { now < $0 } ?? false ? nil : hour
        }
        guard let hour = untidy else { return }
        do {
            try await tidy(hour, house)
            state.withLock { $0.tidied = hour }
        } catch {
            state.withLock { $0.notBefore = now + Self.pauseAfterFailure }
        }
    }

    private func meter(_ house: Household) async {
        let now = house.clock.now(), hour = Self.hour(of: now)
        let mayWait = state.withLock { state in
            state.metered.map { hour <= $0 } ?? false || state.notBefore.map { now < $0 } ?? false
        }
        if mayWait { return }
        do {
            try await house.catalog.change { session in
                try session.meterUsage(through: hour)
                Failpoint.hit("usage.metering")
            }
            Failpoint.hit("usage.metered")
            state.withLock { $0.metered = hour }
        } catch {
            state.withLock { $0.notBefore = now + Self.pauseAfterFailure }
        }
    }

    /// In short transactions, each whole in itself.
    private func tidy(_ hour: Int, _ house: Household) async throws {
        let limit = (hour / 24 - Self.spanDays) * 24
        while !Task.isCancelled {
            let count = try await house.catalog.change {
                try $0.rollUpUsage(endedBy: limit, limit: Self.spansAtOnce)
            }
            Failpoint.hit("usage.rolled")
            if count < Self.spansAtOnce { break }
        }
        try await house.catalog.change { try $0.deleteUsage(beforeDay: hour / 24 - Self.dayCount) }
        try await house.forgetOldEvents()
    }

    /// Hours since 1970.
    static func hour(of time: WallTime) -> Int { Int((Double(time.milliseconds) / 3_600_000).rounded(.down)) }
}

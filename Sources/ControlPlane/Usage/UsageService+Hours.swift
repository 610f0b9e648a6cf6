public import Blocks
internal import Catalog

/// How much there was at a time.
public struct UsagePoint: Equatable, Sendable {
    /// The beginning of an hour.
    public var time: WallTime
    /// Bytes.
    public var bytes: Int
}

extension UsageService {
    /// What the caller's snapshots took in the store at each full hour of a time, as far as that was metered and hours of it are
    /// still known.
    public func snapshotBytes(from start: WallTime, to end: WallTime) async throws -> [UsagePoint] {
        try await ServiceError.about(.house) {
            guard start <= end, start.isReadable, end.isReadable, start.milliseconds >= 0 else {
                throw ServiceError(
                    .invalid, .house, "usage from \(start) to \(end): the end must not be before the start")
            }
            let known = (Meter.hour(of: house.clock.now()) / 24 - Meter.spanDays) * 24
            let first = Meter.hour(of: start + .milliseconds(3_599_999)), last = Meter.hour(of: end)
            let (levels, metered) = try await house.catalog.change { [caller] session in
                let hours = max(0, first)..<max(1, first, last + 1)
                return (try session.usageLevels(of: caller.account, in: hours), try session.usageHour() ?? 0)
            }
            let hours = max(0, known, first)..<max(0, known, first, min(last + 1, metered))
            var bytes = [Double](repeating: 0, count: hours.count)
            for level in levels where level.kind == .snapshot {
                for hour in level.hours.clamped(to: hours) { bytes[hour - hours.lowerBound] += level.bytes }
            }
            return zip(hours, bytes).map { hour, bytes in
                UsagePoint(time: WallTime(milliseconds: Int64(hour) * 3_600_000), bytes: Int(bytes))
            }
        }
    }
}

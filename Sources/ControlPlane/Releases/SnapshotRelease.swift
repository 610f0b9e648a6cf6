public import Blocks

/// When a snapshot is to be deleted by itself.
public enum SnapshotRelease: Equatable, Sendable {
    /// So many days after it was made.
    case days(Int)
    /// At a time.
    case at(WallTime)

    /// Days that one may be kept for.
    public static let daysAllowed = 1...65_536

    /// The instant, for what was made at a time.
    func time(madeAt: WallTime) -> WallTime {
        switch self {
        case .days(let days): madeAt + .seconds(days * 86_400)
        case .at(let time): time
        }
    }

    /// Refuses a time that is over, or too far away.
    func check(madeAt: WallTime, at now: WallTime) throws {
        if case .days(let days) = self, !Self.daysAllowed.contains(days) {
            throw ServiceError(
                .invalid, .snapshot,
                "a snapshot is released after \(days) days: \(Self.daysAllowed.lowerBound) to "
                    + "\(Self.daysAllowed.upperBound) are allowed")
        }
        let time = time(madeAt: madeAt), last = madeAt + .seconds(Self.daysAllowed.upperBound * 86_400)
        guard time > now, time <= last else {
            throw ServiceError(
                .invalid, .snapshot,
                "a snapshot is released at \(time): it must be later than now, \(now), and not after \(last)")
        }
    }
}

/// What is to change of a snapshot; what is nil stays.
public struct ModifySnapshot: Sendable {
    /// Another name; an empty one takes it away.
    public var name: String?
    /// Another description; an empty one takes it away.
    public var description: String?
    /// When it is to be deleted by itself.
    public var release: Release?
    /// Is it to be told to be available before it is completed? That is not taken back before it is.
    public var hasInstantAccess: Bool?

    /// A change of when that is.
    public enum Release: Equatable, Sendable {
        /// Never.
        case never
        /// Then, sooner or later than before.
        case when(SnapshotRelease)
        /// Then, which must not be sooner than before, nor given to what is kept for ever.
        case later(SnapshotRelease)
    }

    /// Makes one that changes nothing.
    public init() {}
}

public import Blocks

/// Whether requests are refused for coming too fast, as a cloud that many share refuses them.
public enum Rates: String, Sendable, CaseIterable {
    /// Never: a house is its owner's.
    case off
    /// Where Amazon would.
    case aws
}

/// That something is asked for too often: which limit that is, and from when on it can be asked for again.
public struct RateExceeded: Equatable, Sendable {
    /// What is limited.
    public enum Rate: String, Sendable, CaseIterable {
        /// Snapshots of one volume.
        case snapshots
        /// Changes of one volume's size, kind or speed.
        case modifications
        /// Requests of one account that read and write snapshots piece by piece.
        case account
        /// The same about one snapshot.
        case snapshot
    }

    /// Which.
    public var rate: Rate
    /// Until when; nil: for less than a second.
    public var until: WallTime?

    /// Makes one.
    public init(_ rate: Rate, until: WallTime? = nil) {
        self.rate = rate
        self.until = until
    }
}

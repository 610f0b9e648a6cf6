internal import Catalog

/// How much of something an account may have in a region. The standard is Amazon's; other clouds' come with their doors.
public enum Quota: String, Codable, Sendable, CaseIterable {
    /// Snapshots, in the bin or not.
    case snapshots
    /// Snapshots of one volume that are being made. Amazon has 5; here the standard is what a volume can do at once.
    case pendingPerVolume = "pending-snapshots-per-volume"
    /// The same of a volume of kind st1 or sc1.
    case pendingPerSlowVolume = "pending-snapshots-per-slow-volume"
    /// Snapshots of all volumes that are being made.
    case pending = "pending-snapshots"
    /// Copies under way that come to the region.
    case copies
    /// Snapshots that are restored fast.
    case fastRestores = "fast-restores"
    /// Policies.
    case policies
    /// Rules of the bin.
    case binRules = "bin-rules"
    /// GiB of volumes of that kind, of those for which a kind was asked.
    case gp2 = "gib-gp2"
    /// See ``gp2``.
    case gp3 = "gib-gp3"
    /// See ``gp2``.
    case io1 = "gib-io1"
    /// See ``gp2``.
    case io2 = "gib-io2"
    /// See ``gp2``.
    case st1 = "gib-st1"
    /// See ``gp2``.
    case sc1 = "gib-sc1"
    /// See ``gp2``.
    case standardKind = "gib-standard"
    /// Operations a second of all volumes of kind io1.
    case io1Operations = "iops-io1"
    /// The same of kind io2.
    case io2Operations = "iops-io2"

    /// What holds where nothing else was set.
    public var standard: Int {
        switch self {
        case .snapshots: 100_000
        case .pendingPerVolume: 32
        case .pendingPerSlowVolume: 1
        case .pending: 100
        case .copies: 20
        case .fastRestores: 5
        case .policies: 100
        case .binRules: 250
        case .gp2, .gp3, .io1, .st1, .sc1, .standardKind: 50 * 1024
        case .io2: 20 * 1024
        case .io1Operations: 300_000
        case .io2Operations: 100_000
        }
    }

    /// What no setting can pass.
    var highest: Int { self == .pendingPerVolume || self == .pendingPerSlowVolume ? 32 : 1_000_000_000 }

    /// How much of it an account may have.
    func limit(of account: String, _ session: CatalogSession) throws -> Int {
        try session.quotas(of: account)[rawValue] ?? standard
    }

    /// Refuses what would come to `count` of it. In the transaction that makes it, so that two at once cannot pass together.
    func check(
        _ count: @autoclosure () throws -> Int, of account: String, _ noun: ServiceError.Noun, _ session: CatalogSession
    ) throws {
        let (count, limit) = (try count(), try limit(of: account, session))
        guard count <= limit else {
            throw ServiceError(
                .limitExceeded, noun,
                "this would be \(count) of the quota \(rawValue), which is \(limit): remove some, or have it raised "
                    + "(varve quota set)", quota: self)
        }
    }
}

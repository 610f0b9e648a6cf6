public import Blocks

/// What instances can be made from, as its owner sees it; those with whom it is shared see less. The JSON of the native API has
/// exactly these names.
public struct ImageView: Codable, Equatable, Sendable {
    /// Where an image is in its life.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// A snapshot of it is not stored yet.
        case pending
        /// Instances can be made of it.
        case available
        /// It could not be made; `reason` says why.
        case failed
        /// It is whole, and its owner wants nothing to be made of it for now.
        case disabled
    }

    /// Is it protected from being deregistered?
    public enum Protection: String, Codable, Sendable, CaseIterable {
        /// No.
        case off
        /// Until that is taken back.
        case on
        /// Until a day after that is taken back.
        case cooldown
    }

    /// A disk that each instance of it gets.
    public struct Disk: Codable, Equatable, Sendable {
        /// Under which name: `/dev/sda1`.
        public var device: String
        /// Its content; nil: zeros, or a copy that has not begun.
        public var snapshotId: String?
        /// Its size.
        public var sizeBytes: Int
        /// How fast it is to be; nil: nothing was asked for.
        public var profile: VolumeProfile?
        /// Is it deleted when the instance is terminated?
        public var goesWithInstance: Bool
        /// Is its snapshot encrypted?
        public var encrypted: Bool
    }

    /// `ami-` and 17 hexadecimal digits.
    public var id: String
    /// The account it belongs to.
    public var ownerId: String
    /// Its owner's name for it.
    public var name: String
    /// Its owner's words on it, or nil.
    public var description: String?
    /// Where it is in its life.
    public var state: State
    /// Why it failed, or nil.
    public var reason: String?
    /// What its owner says about machines of it.
    public var traits: ImageTraits
    /// The device that an instance of it starts from.
    public var rootDevice: String
    /// Its disks, by device.
    public var disks: [Disk]
    /// With whom it is shared, as far as the caller may know: all of them for its owner, themselves for others. Nil: with nobody.
    public var sharing: SnapshotSharing?
    /// Is it protected from being deregistered? Nil for others than its owner.
    public var protection: Protection?
    /// Its protection was taken back, and holds until then; nil: no more.
    public var protectedUntil: WallTime?
    /// From when on it should not be used any more; nil: for ever.
    public var deprecatedAt: WallTime?
    /// Is that so by now?
    public var isDeprecated: Bool
    /// The instance it was made from, or nil.
    public var sourceInstanceId: String?
    /// The image that it is a copy of, or nil.
    public var sourceImageId: String?
    /// The region of that.
    public var sourceRegion: String?
    /// Its tags by key, of another account's image those that the caller's own wrote on it; nil without any.
    public var tags: [String: String]?
    /// When it was made.
    public var createdAt: WallTime
    /// The policy that made it, for its owner; nil: none did.
    public var policy: SnapshotPolicyView?
}

/// What an image's owner says about the machines it is for: words that are kept, and mean nothing to the house. The JSON of the
/// native API has exactly these names.
public struct ImageTraits: Codable, Equatable, Sendable {
    /// Their processors.
    public var architecture = "x86_64"
    /// How they are virtualized.
    public var virtualization = "hvm"
    /// Does their system know enhanced networking?
    public var hasENA = false
    /// A word on the older kind of that.
    public var sriov: String?
    /// How they boot.
    public var bootMode: String?
    /// A word on trusted platform modules.
    public var tpm: String?
    /// A word on the metadata service.
    public var imds: String?

    /// The usual ones.
    public init() {}
}

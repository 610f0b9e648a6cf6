public import Blocks
internal import Catalog

/// What a new volume should be.
public struct CreateVolume: Sendable {
    /// Where its content comes from.
    public enum Origin: Equatable, Sendable {
        /// Zeros.
        case empty
        /// A snapshot, completed or pending.
        case snapshot(String)
        /// Another volume, as it is at this moment.
        case volume(String)
    }

    /// 1 to 128 printable characters, or nil.
    public var name: String?
    /// At most 1024 printable characters, or nil.
    public var description: String?
    /// The size: needed for an empty volume, else as large as the origin or larger; nil takes the origin's.
    public var size: ByteCount?
    /// Where its content comes from.
    public var origin: Origin
    /// How its snapshots are to be encrypted; nil: not, unless the origin is, or the account has it so for new volumes.
    public var encryption: VolumeEncryption?
    /// Of a damaged snapshot: what cannot be read becomes zeros, and is listed. Otherwise that is refused.
    public var skipsDamage = false
    /// Tags by key.
    public var tags: [String: String] = [:]
    /// The resource group that it is to be in; nil: none.
    public var resourceGroup: String?
    /// What a dialect keeps with it for its own answers; nothing here depends on it.
    public var keepsakes: [String: String] = [:]
    /// How fast it is to be: what is asked for, where the kind lets one ask. Nil: as the first kind is at its size, whatever that is.
    public var profile: VolumeProfile?
    /// May several instances have it at a time? Only of a kind that allows it.
    public var isShared = false
    /// How fast it is to be filled from its snapshot at least, in MiB a second, of ``fillRates``; nil: nothing is asked.
    ///
    /// A volume is filled as fast as its store and its disk let it be, asked for or not; what is asked for is kept, and told.
    public var fillRate: Int?
    /// What can be asked for. Source: Amazon EBS user guide, "Provisioned Rate for Volume Initialization".
    public static let fillRates = 100...300
    /// A zone of the region by its name; nil: the first.
    public var zone: String?
    /// So that it is made once, however often it is asked for; nil: each request makes one.
    public var token: RequestToken?
    /// What is recorded in the transaction that records the volume.
    var recording: (@Sendable (CatalogSession, VolumeRecord) throws -> Void)?

    /// Makes a request.
    public init(
        size: ByteCount?, name: String? = nil, origin: Origin = .empty, encryption: VolumeEncryption? = nil
    ) {
        self.encryption = encryption
        self.size = size
        self.name = name
        self.origin = origin
    }
}

/// That a volume's snapshots are encrypted. Fixed when the volume is made; what is made of them has the same key. Of an
/// unencrypted snapshot an encrypted volume can be made: it begins a lineage of its own.
public struct VolumeEncryption: Equatable, Sendable {
    /// The wrapping key by its name or UUID; nil: the one that the last rotation chose, or the first that was given.
    public var key: String?

    /// Makes a request.
    public init(key: String? = nil) { self.key = key }
}

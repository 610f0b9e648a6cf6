public import Blocks

/// A volume as its owner sees it. The JSON of the native API has exactly these names.
public struct VolumeView: Codable, Equatable, Sendable {
    /// Where a volume is in its life.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// Being made, or an import that is not finished.
        case creating
        /// Ready, not attached.
        case available
        /// Attached.
        case inUse = "in-use"
        /// Being deleted.
        case deleting
        /// A disk failure made it unusable; `reason` says which.
        case error
        /// It could not be opened; `reason` says why. Everything else serves.
        case quarantined
    }

    /// How much of a restored volume has arrived from its source.
    public struct Hydration: Codable, Equatable, Sendable {
        /// Is everything here (or was there never a source)?
        public var isComplete: Bool
        /// The snapshot that missing blocks come from.
        public var sourceSnapshotId: String?
        /// Bytes of data that the source holds, or while it cannot say, no less than that. Zero when complete.
        public var totalBytes: Int
        /// Those that are not here yet.
        public var remainingBytes: Int
        /// From 0 to 1.
        public var progress: Double
        /// Estimated seconds left, or nil.
        public var remainingSeconds: Int?

        /// Makes one.
        public init(
            isComplete: Bool, sourceSnapshotId: String?, totalBytes: Int, remainingBytes: Int, progress: Double,
            remainingSeconds: Int? = nil
        ) {
            self.isComplete = isComplete
            self.sourceSnapshotId = sourceSnapshotId
            self.totalBytes = totalBytes
            self.remainingBytes = remainingBytes
            self.progress = progress
            self.remainingSeconds = remainingSeconds
        }
        /// Nothing is missing.
        public static let complete = Hydration(
            isComplete: true, sourceSnapshotId: nil, totalBytes: 0, remainingBytes: 0, progress: 1)
    }

    /// `vol-` and 17 hexadecimal digits.
    public var id: String
    /// The name its owner gave, or nil.
    public var name: String?
    /// What its owner says of it, or nil.
    public var description: String?
    /// Where it is in its life.
    public var state: State
    /// Why, when the state is error or quarantined.
    public var reason: String?
    /// The size of the disk.
    public var sizeBytes: Int
    /// Bytes that take up local space.
    public var allocatedBytes: Int
    /// Bytes changed since the last snapshot (whole blocks, a superset).
    public var dirtyBytes: Int
    /// The snapshot it was made from, which may be gone; nil: from none.
    public var originSnapshotId: String?
    /// Was all of that snapshot in a local copy when it was made, so that nothing of it had to come from the store?
    public var fastRestored: Bool
    /// How fast its owner asked for it to be filled from its snapshot, in MiB a second; nil: nothing was said.
    public var fillRate: Int?
    /// The volume it was copied from, which may be gone; nil: from none.
    public var sourceVolumeId: String?
    /// The snapshot that the next one builds on.
    public var parentSnapshotId: String?
    /// What is still missing of a restored volume.
    public var hydration: Hydration
    /// Snapshots whose upload is not finished, oldest first.
    public var pendingSnapshotIds: [String]
    /// Where it is attached, or nil; of several places the first.
    public var attachment: AttachmentView?
    /// Everywhere that it is attached, oldest first: several only if it is shared.
    public var attachments: [AttachmentView]
    /// May several instances have it at a time?
    public var isShared: Bool
    /// Was it ever attached, to an instance or to this host?
    public var wasAttached: Bool
    /// The NBD URI while attached, or nil.
    public var uri: String?
    /// Are its snapshots encrypted in the store? Its own files are left to the host's disk encryption.
    public var encrypted: Bool
    /// The wrapping key that opens them, or nil.
    public var keyId: String?
    /// Where it reads as zeros because the snapshot it was restored from could not be read there; nil for a volume that
    /// was not restored so. Empty: no hole was needed so far.
    public var holes: [SnapshotDamageView.Range]?
    /// How fast it is to be.
    public var profile: VolumeProfile
    /// Is it held to that? Not where nobody asked for a kind, or where the server holds none.
    public var isPaced: Bool
    /// The zone it is in.
    public var zone: String
    /// Its tags by key; nil without any.
    public var tags: [String: String]?
    /// What dialects keep with it for their own answers; nil without any.
    public var keepsakes: [String: String]?
    /// When it was made.
    public var createdAt: WallTime

    /// Makes one.
    public init(id: String, name: String?, state: State, sizeBytes: Int, createdAt: WallTime) {
        self.id = id
        self.name = name
        self.state = state
        self.sizeBytes = sizeBytes
        self.createdAt = createdAt
        profile = VolumeProfile(.gp2, size: ByteCount(sizeBytes))
        isPaced = false
        zone = ""
        allocatedBytes = 0
        encrypted = false
        fastRestored = false
        dirtyBytes = 0
        hydration = .complete
        pendingSnapshotIds = []
        attachments = []
        isShared = false
        wasAttached = false
    }
}

/// A volume's place on a host.
public struct AttachmentView: Codable, Equatable, Sendable {
    /// The host: an instance's id, or this machine, "local".
    public var host: String
    /// Under which name it is on the instance; nil for what is on none.
    public var device: String?
    /// Is it deleted when the instance is terminated?
    public var goesWithInstance: Bool
    /// The unix socket on which this disk alone is offered to its instance; nil for what is on none.
    public var socket: String?
    /// The NBD export's name: the volume's id, or for a volume that others may have too, that and the host's.
    public var exportName: String
    /// A URI that NBD clients take and that is ready.
    public var uri: String
    /// A URI for clients on other hosts; nil when the server takes connections from this host only.
    public var networkUri: String?
    /// Since when.
    public var attachedAt: WallTime

    /// Makes one.
    public init(host: String, exportName: String, uri: String, networkUri: String? = nil, attachedAt: WallTime) {
        self.host = host
        goesWithInstance = false
        self.exportName = exportName
        self.uri = uri
        self.networkUri = networkUri
        self.attachedAt = attachedAt
    }
}

internal import Catalog

/// A copy of a snapshot that is asked for, in the region that it is to come to.
public struct CopySnapshot: Sendable {
    /// The snapshot: the account's, or one that is shared with it.
    public var snapshot: String
    /// The region where it is; nil: the one that the copy comes to.
    public var region: String?
    /// 1 to 128 printable characters, or nil. Nothing of this is taken from the source.
    public var name: String?
    /// At most 1024 printable characters, or nil.
    public var description: String?
    /// Tags by key.
    public var tags: [String: String] = [:]
    /// The resource group that it is to be in; nil: none.
    public var resourceGroup: String?
    /// When the copy is to be deleted by itself; nil: never.
    public var release: SnapshotRelease?
    /// What it is to be encrypted with if it is not to be as its source; what is encrypted is never copied into the clear.
    public var encryption: VolumeEncryption?
    /// So that it is made once, however often it is asked for; nil: each request makes one.
    public var token: RequestToken?
    /// Refuse at once what is not there or not completed? Otherwise the copy comes to be, and fails.
    public var needsSource = true
    /// What is recorded in the transaction that records the copy.
    var recording: (@Sendable (CatalogSession, SnapshotRecord) throws -> Void)?

    /// Makes a request.
    public init(_ snapshot: String, from region: String? = nil, name: String? = nil, description: String? = nil) {
        self.snapshot = snapshot
        self.region = region
        self.name = name
        self.description = description
    }
}

/// Why a copy came to nothing, as its `reason` says.
public enum CopyFault: String, Sendable, CaseIterable {
    /// There is none, or it is another account's.
    case noSource = "Source snapshot is not found"
    /// It is pending, or failed.
    case incompleteSource = "Source snapshot is not complete"
    /// It is in the archive.
    case archivedSource = "Source snapshot is archived"
    /// One of the keys is not here.
    case noKey = "Given key ID is not accessible"
}

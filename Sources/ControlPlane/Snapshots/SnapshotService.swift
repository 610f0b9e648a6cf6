/// What a new snapshot is called.
public struct CreateSnapshot: Sendable {
    /// The volume.
    public var volume: String
    /// 1 to 128 printable characters, or nil.
    public var name: String?
    /// At most 1024 printable characters, or nil.
    public var description: String?

    /// Makes a request.
    public init(volume: String, name: String? = nil, description: String? = nil) {
        self.volume = volume
        self.name = name
        self.description = description
    }
}

/// The verbs on snapshots. Every error is a ``ServiceError``.
///
/// Methods may be called from any task, at once for different snapshots.
public struct SnapshotService: Sendable {
    let notYet = ServiceError(.unsupported, .snapshot, "snapshots are not served yet")

    /// Fixes the volume's content at one instant during the call; the upload goes on afterwards.
    public func create(_ request: CreateSnapshot) async throws -> SnapshotView { throw notYet }

    /// Fixes the content of several volumes at the same instant. Answers in the order of `volumes`.
    public func createGroup(
        of volumes: [String], name: String?, description: String?
    ) async throws -> [SnapshotView] { throw notYet }

    /// One snapshot.
    public func show(_ id: String) async throws -> SnapshotView { throw notYet }

    /// Every snapshot, or those of one volume, oldest first.
    public func list(of volume: String? = nil) async throws -> [SnapshotView] { throw notYet }

    /// Returns when the snapshot is completed; throws when it ends otherwise. Cancelling the task stops the waiting,
    /// not the snapshot.
    public func wait(for id: String) async throws -> SnapshotView { throw notYet }

    /// Every change of one snapshot's view, starting with the present one, until it is completed, failed or gone.
    /// For progress bars and server-sent events; slow readers miss steps, never the last.
    public func watch(_ id: String) async throws -> AsyncStream<SnapshotView> { throw notYet }

    /// Offers a completed snapshot read-only over NBD; ready when the call returns. Repeating it is harmless.
    public func attach(_ id: String) async throws -> AttachmentView { throw notYet }

    /// Ends the read-only export. No error if there is none.
    public func detach(_ id: String) async throws -> SnapshotView { throw notYet }

    /// Where two completed snapshots differ; past the end of the smaller one the larger one's data differs.
    public func diff(_ a: String, _ b: String) async throws -> SnapshotDiff { throw notYet }

    /// Reads everything the snapshot needs and checks every hash.
    public func verify(_ id: String) async throws -> VerifyReport { throw notYet }

    /// Deletes it: a pending one is cancelled, of a completed one the space is freed by a later reclaim. Any snapshot
    /// may be deleted at any time, in any order, except while it is exported.
    public func delete(_ id: String) async throws { throw notYet }
}

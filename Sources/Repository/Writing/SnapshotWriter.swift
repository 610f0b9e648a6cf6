public import Blocks

/// Uploads one snapshot and commits it. Made by ``Repository/writer(_:content:options:)``; used for one run.
///
/// 1. Pin: put `uploads/<id>`, which names the parent; check that the parent is still there.
/// 2. Packs of frames; after each acknowledged one, `content.captured`.
/// 3. Nodes; subtrees without change are the parent's, by pointer.
/// 4. Check again: not cancelled, content not broken, parent still there. Put the manifest: the commit.
/// 5. Remove the pin.
///
/// A crash or a failure before 4 leaves no snapshot; the next run with the same plan and content resumes.
public final class SnapshotWriter: Sendable {
    /// What is being uploaded.
    public let plan: SnapshotPlan

    init(plan: SnapshotPlan) { self.plan = plan }

    /// Uploads and commits; blocks until then. Call from an ``OSThread``, once.
    ///
    /// If the manifest of this snapshot exists already (a commit whose answer was lost), returns it.
    public func run() throws(RepositoryFailure) -> Manifest { throw .invalid("not yet") }

    /// Makes ``run()`` end soon with ``RepositoryFailure/cancelled``. After the commit it does nothing. Any thread.
    public func cancel() {}

    /// The latest progress. Any thread.
    public var progress: UploadProgress {
        UploadProgress(captured: 0, total: 0, stored: 0, bytesPerSecond: 0, remaining: nil)
    }

    /// Fills `target` with `blocks` of the snapshot being uploaded, from packs that the store has acknowledged.
    ///
    /// - Returns: false if one of them was not captured yet; `target` may then be partly filled. Read it from the
    ///   volume's frozen view instead, and ask again if that says that it was captured meanwhile.
    public func readUploaded(_ blocks: BlockRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        false
    }
}

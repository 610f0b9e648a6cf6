public import Blocks
internal import Catalog

/// That the disk an instance starts from is exchanged for a new one, as its owner sees it. The JSON of the native API has exactly
/// these names.
public struct RootReplacementView: Codable, Equatable, Sendable {
    /// How far it is.
    public enum State: String, Codable, Sendable, CaseIterable {
        /// The new disk is being made.
        case pending
        /// The new disk takes the old one's place.
        case inProgress = "in-progress"
        /// It cannot be done; what was made of it is taken away.
        case failing
        /// The instance has the new disk.
        case succeeded
        /// The instance has the disk that it had; `reason` says why.
        case failed
    }

    /// `replacevol-` and 17 hexadecimal digits.
    public var id: String
    /// The instance, which may be gone.
    public var instanceId: String
    /// Under which name the disk is on it.
    public var device: String
    /// What the new disk is made from.
    public var snapshotId: String
    /// The image that this is of, if one was asked for.
    public var imageId: String?
    /// The disk it takes the place of, which may be gone.
    public var oldVolumeId: String
    /// The new disk, once there is one.
    public var newVolumeId: String?
    /// Is the old disk deleted in the end?
    public var deletesOld: Bool
    /// How far it is.
    public var state: State
    /// Why it failed, or why the old disk was not deleted after all; nil: it did not, or it was.
    public var reason: String?
    /// Its tags by key; nil without any.
    public var tags: [String: String]?
    /// When it was asked for.
    public var startedAt: WallTime
    /// When it was over, or nil.
    public var endedAt: WallTime?
}

extension RootReplacementView {
    init(_ record: RootReplacementRecord, tags: [String: String]) {
        id = record.id
        instanceId = record.instanceID
        device = record.device
        snapshotId = record.snapshotID
        imageId = record.imageID
        oldVolumeId = record.oldVolume
        newVolumeId = record.newVolume
        deletesOld = record.deletesOld
        state =
            switch record.state {
            case .pending: .pending
            case .inProgress, .exchanged: .inProgress
            case .failing: .failing
            case .succeeded: .succeeded
            case .failed: .failed
            }
        reason = record.reason
        self.tags = tags.isEmpty ? nil : tags
        startedAt = record.startedAt
        endedAt = record.endedAt
    }
}

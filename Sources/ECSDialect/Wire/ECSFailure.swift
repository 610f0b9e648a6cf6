/// A refusal in Alibaba's words: clients match on the code. Typing errors in messages are the cloud's.
struct ECSFailure: Error, Equatable, Sendable {
    var code: String
    var message: String
    var status: Int
    /// For the log alone.
    var logged: String?

    init(_ status: Int, _ code: String, _ message: String, logged: String? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.logged = logged
    }

    static func unexpected(_ cause: String) -> ECSFailure {
        ECSFailure(
            500, "InternalError", "The request processing has failed due to some unknown error.", logged: cause)
    }
    static func parameter(_ name: String) -> ECSFailure {
        ECSFailure(400, "InvalidParameter", "The specified parameter \(name) is not valid.")
    }
    static func missing(_ name: String) -> ECSFailure {
        ECSFailure(
            400, "MissingParameter",
            "The input parameter \"\(name)\" that is mandatory for processing this request is not supplied.")
    }
    static let dryRun = ECSFailure(400, "DryRunOperation", "Request validation has been passed with DryRun flag set.")
    static let forbidden = ECSFailure(
        403, "Forbidden.RAM",
        "User not authorized to operate on the specified resource, or this API doesn't support RAM.")
    static let throttled = ECSFailure(400, "Throttling.User", "Request was denied due to user flow control.")
    /// Of creating snapshots; everything else is ``throttled``.
    static let snapshotsThrottled = ECSFailure(403, "Throttling", "Request was denied due to user flow control.")

    // MARK: What several actions say

    static let noDisk = ECSFailure(404, "InvalidDiskId.NotFound", "The specified disk does not exist.")
    static let noSnapshot = ECSFailure(
        404, "InvalidSnapshotId.NotFound", "The specified SnapshotId does not exist.")
    static let noInstance = ECSFailure(
        404, "InvalidInstanceId.NotFound", "The specified InstanceId does not exist.")
    static let noRegion = ECSFailure(404, "InvalidRegionId.NotFound", "The specified RegionId does not exist.")
    static let notReady = ECSFailure(
        403, "InvalidSnapshotId.NotReady", "The specified snapshot has not completed yet.")
    static let diskStatus = ECSFailure(
        403, "IncorrectDiskStatus", "The current disk status does not support this operation.")
    static func instanceStatus(_ status: Int = 403) -> ECSFailure {
        ECSFailure(
            status, "IncorrectInstanceStatus", "The current status of the resource does not support this operation.")
    }
    static let creating = ECSFailure(
        403, "DiskCreatingSnapshot",
        "The operation is denied due to a snapshot of the specified disk is not completed yet.")
    static let snapshotName = ECSFailure(
        400, "InvalidSnapshotName.Malformed", "The specified SnapshotName is wrongly formed.")
    static let diskName = ECSFailure(
        400, "InvalidDiskName.Malformed", "The specified disk name is wrongly formed.")
    static func description(_ status: Int = 404) -> ECSFailure {
        ECSFailure(status, "InvalidDescription.Malformed", "The specified description is wrongly formed.")
    }
    static let days = ECSFailure(
        400, "InvalidRetentionDays.Malformed", "The specified RetentionDays is not valid.")
    static let nothingToModify = ECSFailure(
        400, "NoAttributeToModify", "No attribute to be modified in this request.")
    static let tooManySnapshots = ECSFailure(403, "QuotaExceed.Snapshot", "The snapshot quota exceeds.")
    static let tooManyTags = ECSFailure(
        403, "QuotaExceed.Tags", "The quota of tags on resource is beyond permitted range.")
}

/// Every code that this door says, but for those that are made of a parameter's name: `<Parameter>Required` and
/// `<Parameter>InvalidParameterValue`. Clients match on them.
enum KingsoftCode: String, CaseIterable, Sendable {
    // Who asks.
    case missingAuthenticationToken = "MissingAuthenticationToken"
    case signatureDoesNotMatch = "SignatureDoesNotMatch"
    case accessKeyNotRecognized = "AccessKeyNotRecognized"
    case requestExpired = "RequestExpired"
    case accessDenied = "AccessDenied"
    // What is asked.
    case invalidParameterValue = "InvalidParameterValue"
    case unsupportedAction = "UnsupportedAction"
    case unsupportedParameter = "UnsupportedParameter"
    // What is not there.
    case volumeCanNotFoundError = "VolumeCanNotFoundError"
    case snapshotCanNotFoundError = "SnapshotCanNotFoundError"
    case instanceCanNotFoundError = "InstanceCanNotFoundError"
    case imageCanNotFoundError = "ImageCanNotFoundError"
    case autoSnapshotPolicyCanNotFoundError = "AutoSnapshotPolicyCanNotFoundError"
    // What is in the way.
    case volumeStatusError = "VolumeStatusError"
    case snapshotStatusError = "SnapshotStatusError"
    case instanceStatusError = "InstanceStatusError"
    case snapshotCreatingConflict = "SnapshotCreatingConflict"
    case volumeSnapshotMismatch = "VolumeSnapshotMismatch"
    case snapshotCreatedImage = "SnapshotCreatedImage"
    case volumeTypeNotSupportSnapshot = "VolumeTypeNotSupportSnapshot"
    case snapshotQuotaExceeded = "SnapshotQuotaExceeded"
    case policyQuotaExceeded = "PolicyQuotaExceeded"
    // Later it may be otherwise.
    case throttling = "Throttling"
    case serviceTimeout = "ServiceTimeout"
    case internalFailure = "INTERNAL_FAILURE"
}

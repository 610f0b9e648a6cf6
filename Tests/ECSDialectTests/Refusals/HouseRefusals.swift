import ControlPlane
import TestSupport

@testable import ECSDialect

/// What the house refuses, or fails in, that no request brings about at will.
enum HouseRefusals {
    static let rows = [
        row(
            .missing, .image, 404, "InvalidResource.NotFound",
            "there is no image m-0000000000001aytrp35"),
        row(.missing, .volume, 404, "InvalidDiskId.NotFound", Words.noDisk),
        row(.missing, .snapshot, 404, "InvalidSnapshotId.NotFound", Words.noSnapshot),
        row(.missing, .instance, 404, "InvalidInstanceId.NotFound", Words.noInstance),
        row(.noSpace, .volume, 403, "OperationDenied.NoStock", "there is no image m-0000000000001aytrp35"),
        row(
            .unavailable, .store, 503, "ServiceUnavailable",
            "The request has failed due to a temporary failure of the server."),
        row(.unsupported, .volume, 400, "DiskCategory.OperationNotSupported", Words.category),
        row(.corrupt, .snapshot, 500, "InternalError", failed),
        row(.internalFault, .house, 500, "InternalError", failed),
        row(
            .limitExceeded, .snapshot, 403, "QuotaExceed.ConcurrentSnapshotQuota",
            "there is no image m-0000000000001aytrp35"),
    ]

    private static let failed = "The request processing has failed due to some unknown error."

    private static func row(
        _ code: ServiceError.Code, _ noun: ServiceError.Noun, _ status: Int, _ name: String, _ message: String
    ) -> OtherRefusal {
        OtherRefusal("\(noun) \(code)", status, name, message) {
            let failure = ECSFailure(from: ServiceError(code, noun, "there is no image ami-00000000000000001"))
            return Said(status: failure.status, code: failure.code, message: failure.message)
        }
    }
}

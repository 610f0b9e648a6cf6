import Blocks
import ControlPlane
import TestSupport

@testable import EC2Dialect

/// Requests that are not believed or not read, and what the house refuses or fails in that no request brings about at will.
enum EC2OtherRefusals {
    static let rows = unread + signs + house + quotas + rates

    private static func unread(
        _ situation: String, _ reason: RefusedRequest, _ status: Int, _ code: String, _ message: String
    ) -> OtherRefusal {
        OtherRefusal(situation, status, code, message) {
            let scene = try await EC2Scene()
            let said = Said(scene.dialect.refusal(reason))
            await scene.house.close()
            return said
        }
    }

    private static let unread = [
        unread(
            "not signed", .notSigned, 403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        unread("half signed", .malformed("why"), 400, "IncompleteSignature", "why"),
        unread(
            "signed wrongly", .wrongSignature, 401, "AuthFailure",
            "AWS was not able to validate the provided access credentials"),
        unread("old", .expired, 400, "RequestExpired", "Request has expired."),
        unread(
            "too large", .tooLarge, 413, "RequestEntityTooLarge", "The request is larger than this service takes."),
        unread("cut off", .endedEarly, 400, "MalformedQueryString", "The request ended too early."),
        unread("after many wrong ones", .throttled, 503, "RequestLimitExceeded", "Request limit exceeded."),
    ]

    private static func sign(
        _ situation: String, _ status: Int, _ code: String, _ message: String,
        _ ask: @escaping @Sendable (STSDialect) -> EC2Answer
    ) -> OtherRefusal {
        OtherRefusal(situation, status, code, message) {
            let scene = try await EC2Scene()
            let said = Said(ask(STSDialect(scene.house) { "id" }))
            await scene.house.close()
            return said
        }
    }

    private static let signs = [
        sign(
            "no such key", 403, "InvalidClientTokenId", "The security token included in the request is invalid"
        ) { $0.refusal(.unknownSigner) },
        sign(
            "signed wrongly", 403, "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
                + "and signing method. Consult the service documentation for details."
        ) { $0.refusal(.wrongSignature) },
        sign(
            "no such action", 400, "InvalidAction", "Could not find operation Nope for version 2011-06-15"
        ) { $0.answer(EC2Request(sources: ["Action=Nope"]), for: .root, accessKey: "root") },
    ]

    private static func row(_ error: ServiceError, _ status: Int, _ code: String, _ message: String) -> OtherRefusal {
        OtherRefusal("\(error.code) \(error.noun)", status, code, message) {
            let failure = EC2Failure(from: error)
            return Said(status: failure.status, code: failure.code, message: failure.message)
        }
    }

    private static func row(
        _ code: ServiceError.Code, _ noun: ServiceError.Noun, _ status: Int, _ name: String, _ message: String = "words"
    ) -> OtherRefusal { row(ServiceError(code, noun, "words"), status, name, message) }

    private static let house = [
        row(.locked, .snapshot, 400, "OperationNotPermitted"), row(.missing, .volume, 400, "InvalidVolume.NotFound"),
        row(.missing, .snapshot, 400, "InvalidSnapshot.NotFound"),
        row(.missing, .token, 400, "IdempotentParameterMismatch"),
        row(.missing, .image, 400, "InvalidAMIID.NotFound"), row(.wrongState, .image, 400, "InvalidAMIID.Unavailable"),
        row(.inUse, .image, 400, "InvalidAMIName.Duplicate"),
        row(.missing, .instance, 400, "InvalidInstanceID.NotFound"),
        row(.missing, .attachment, 400, "InvalidAttachment.NotFound"),
        row(.missing, .house, 400, "InvalidParameterValue"), row(.limitExceeded, .tag, 400, "TagLimitExceeded"),
        row(.limitExceeded, .snapshot, 400, "ConcurrentSnapshotLimitExceeded"),
        row(.limitExceeded, .volume, 400, "ResourceLimitExceeded"), row(.inUse, .volume, 400, "VolumeInUse"),
        row(.inUse, .snapshot, 400, "InvalidSnapshot.InUse"), row(.wrongState, .snapshot, 400, "IncorrectState"),
        row(.noSpace, .volume, 500, "InsufficientVolumeCapacity"), row(.unavailable, .store, 503, "Unavailable"),
        row(.unsupported, .volume, 400, "UnsupportedOperation"),
        row(.internalFault, .house, 500, "InternalError", "An internal error has occurred"),
    ]

    private static func row(_ quota: Quota, _ code: String, _ message: String = "words") -> OtherRefusal {
        row(ServiceError(.limitExceeded, .snapshot, "words", quota: quota), 400, code, message)
    }

    private static let quotas = [
        row(.snapshots, "SnapshotLimitExceeded", "Maximum allowed active snapshot limit exceeded."),
        row(.pending, "PendingSnapshotLimitExceeded"),
        row(
            .pendingPerVolume, "ConcurrentSnapshotLimitExceeded",
            "Maximum allowed in-progress snapshots for a single volume exceeded."),
        row(.gp2, "VolumeLimitExceeded"), row(.io1Operations, "MaxIOPSLimitExceeded"),
        row(.fastRestores, "FastSnapshotRestoreLimitExceeded"), row(.copies, "ResourceLimitExceeded"),
    ]

    private static func row(_ rate: RateExceeded, _ status: Int, _ code: String, _ message: String) -> OtherRefusal {
        row(ServiceError(.limitExceeded, .volume, "words", rate: rate), status, code, message)
    }

    private static let rates = [
        row(
            RateExceeded(.snapshots), 400, "SnapshotCreationPerVolumeRateExceeded",
            "The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep "
                + "interval between requests."),
        row(
            RateExceeded(.modifications, until: WallTime(milliseconds: 1_800_000_000_000)), 400,
            "VolumeModificationRateExceeded",
            "You've reached the maximum modification rate per volume limit. Wait until 2027-01-15T08:00:00.000Z before you can "
                + "issue the next modification request for this volume."),
        row(RateExceeded(.account), 503, "RequestLimitExceeded", "Request limit exceeded."),
    ]
}

internal import Blocks
internal import ObjectStore

/// What a refusal or a silence means, in words that name the setting to look at.
struct S3Failures {
    let location: S3Location
    /// Whose key signed.
    let accessKeyID: String
    /// This machine's time when the answer came.
    let now: WallTime

    private var place: String { "the bucket \(location.bucket) at \(location.endpoint)" }

    // MARK: No answer

    static func failure(_ failure: ExchangeFailure, at location: S3Location) -> StoreFailure {
        let endpoint = location.endpoint
        switch failure {
        case .unknownHost:
            let host = location.style == .host ? "\(location.bucket).\(endpoint.host)" : endpoint.host
            return .transient(
                "the name \(host) has no address: check endpoint= in the store's URL"
                    + (location.style == .host ? " (or style=path)" : "") + ", and the name server")
        case .refused: return .transient("nothing listens at \(endpoint): check endpoint= in the store's URL")
        case .timedOut:
            return .transient(
                "\(endpoint) was silent for longer than timeout=\(location.timeout.components.seconds) allows")
        case .lost(let how): return .transient("the connection to \(endpoint) broke: \(how)")
        case .insecure(let how):
            return .permanent(
                "no trusted TLS connection to \(endpoint): check ca= and endpoint= in the store's URL (\(how))")
        case .tooLong: return .permanent("\(endpoint) sent more than was asked for: is it an S3 server?")
        }
    }

    // MARK: A refusal

    /// The failure that an answer other than success stands for. `key` is the object's, without the prefix.
    func failure(_ answer: HTTPAnswer, key: String?) -> StoreFailure {
        failure(S3Refusal(answer), status: answer.status, date: answer.header("date"), key: key)
    }

    func failure(_ refusal: S3Refusal, status: Int, date: String? = nil, key: String? = nil) -> StoreFailure {
        if let key, refusal.code == "NoSuchKey" { return .missing(key: key) }
        if let key, refusal.code == "InvalidRange" || status == 416 { return .truncated(key: key) }
        if status == 403 || Self.skewCodes.contains(refusal.code), let skew = skew(date) { return .permanent(skew) }
        if let reason = known(refusal) { return .permanent(reason) }
        if Self.isTransient(refusal.code, status) {
            return .transient("\(location.endpoint) answered \(said(refusal, status))")
        }
        return .permanent(unknown(refusal, status))
    }

    private static let skewCodes: Set = ["RequestTimeTooSkewed", "RequestExpired"]

    /// A clock that is off explains a refusal better than anything else.
    private func skew(_ date: String?) -> String? {
        guard let store = date.flatMap(HTTPDate.instant) else { return nil }
        let off = store > now ? store - now : now - store
        let seconds = off.components.seconds
        guard seconds > 240 else { return nil }
        let span =
            seconds < 7200 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds / 3600) h \(seconds / 60 % 60) min"
        return
            "this machine's clock is \(span) \(store > now ? "behind" : "ahead of") that of \(location.endpoint): set the clock"
    }

    private func known(_ refusal: S3Refusal) -> String? {
        switch refusal.code {
        case "NoSuchBucket":
            "there is no \(place.dropFirst(4)): make it, or correct the bucket or endpoint= in the store's URL"
        case "InvalidAccessKeyId":
            "\(location.endpoint) does not know the access key \(accessKeyID): check AWS_ACCESS_KEY_ID or the credentials file"
        case "SignatureDoesNotMatch":
            "the secret does not belong to the access key \(accessKeyID): check AWS_SECRET_ACCESS_KEY or the credentials "
                + "file, and region=\(location.region) in the store's URL"
        case "ExpiredToken", "TokenRefreshRequired":
            "the session token of \(accessKeyID) has expired: renew AWS_SESSION_TOKEN or the credentials file"
        case "InvalidToken":
            "\(location.endpoint) does not take the session token of \(accessKeyID): check AWS_SESSION_TOKEN, which only a "
                + "temporary key has"
        case "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError", "IllegalLocationConstraintException",
            "InvalidRegionName":
            wrongRegion(refusal)
        case "PermanentRedirect", "TemporaryRedirect":
            wrongRegion(refusal) + (refusal.endpoint.map { ", or endpoint=https://\($0)" } ?? "")
        case "AccessDenied", "AllAccessDisabled", "AccountProblem":
            "\(accessKeyID) may not do this with \(place): give the key the right to read, write, list and delete there, "
                + "or correct the bucket in the store's URL"
        case "QuotaExceeded", "StorageFull", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded",
            "InsufficientStorage":
            "\(place) is full: raise its quota, or free room with `varve store reclaim`"
        case "InvalidBucketName": "\(location.bucket) cannot be a bucket: correct the store's URL"
        case "NotImplemented", "MethodNotAllowed":
            "\(location.endpoint) cannot do what Varve needs of a store (\(refusal.message)): see `varve store check`"
        default: nil
        }
    }

    private func wrongRegion(_ refusal: S3Refusal) -> String {
        guard let region = refusal.region, region != location.region else {
            return "\(place) is not in the region \(location.region): correct region= in the store's URL"
        }
        return "\(place) is in the region \(region), not \(location.region): set region=\(region) in the store's URL"
    }

    private static func isTransient(_ code: String, _ status: Int) -> Bool {
        switch code {
        case "RequestTimeout", "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody", "OperationAborted",
            "ConditionalRequestConflict", "NoSuchUpload", "InvalidPart":
            true
        default: status == 408 || status == 409 || status == 429 || (status >= 500 && status != 501 && status != 507)
        }
    }

    private func unknown(_ refusal: S3Refusal, _ status: Int) -> String {
        switch (refusal.code, status) {
        case ("", 301), ("", 307): wrongRegion(refusal)
        case ("", 403):
            "\(accessKeyID) was refused at \(place): check the key and its rights, and the bucket in the store's URL"
        case ("", 507): "\(place) is full: raise its quota, or free room with `varve store reclaim`"
        case ("", _):
            "\(location.endpoint) answered \(status), and not as an S3 server would: check endpoint= in the store's URL"
        default: "\(location.endpoint) answered \(said(refusal, status))"
        }
    }

    private func said(_ refusal: S3Refusal, _ status: Int) -> String {
        guard !refusal.code.isEmpty else { return "\(status)" }
        let message = refusal.message.prefix(300)
        return "\(status) \(refusal.code)" + (message.isEmpty ? "" : " (\(message))")
    }
}

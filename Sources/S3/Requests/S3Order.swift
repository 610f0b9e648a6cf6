internal import Blocks
internal import RequestSigning

/// What is asked of the store, before it is addressed and signed.
struct S3Order {
    var method: String
    /// The object's full key, or nil for the bucket itself.
    var key: String?
    /// Names and plain values, in any order.
    var query: [(name: String, value: String)] = []
    var headers: [SignableRequest.Header] = []
    var body: [UInt8] = []
    var answerMax = 8 << 20

    init(_ method: String, _ key: String? = nil) {
        self.method = method
        self.key = key
    }

    /// Path and query, encoded the one way that signature and wire agree on.
    func target(at location: S3Location) -> String {
        var path = location.style == .path ? "/" + location.bucket : ""
        if let key { path += "/" + URIEncoding.encode(key.utf8, keepsSlash: true) }
        if path.isEmpty { path = "/" }
        let pairs = query.map { (URIEncoding.encode($0.name.utf8), URIEncoding.encode($0.value.utf8)) }
            .sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        return path + (pairs.isEmpty ? "" : "?" + pairs.map { "\($0.0)=\($0.1)" }.joined(separator: "&"))
    }

    /// The request as it goes out at `now`.
    func signed(for location: S3Location, with key: SigningKey, at now: WallTime) -> HTTPRequest {
        let host = location.endpoint.authority(below: location.style == .host ? location.bucket : nil)
        let target = target(at: location)
        let bodyHash = BodyHash(of: body)
        var all = headers + [.init("host", host)]
        if method == "PUT", self.key != nil, query.isEmpty {
            // The server checks it against what it stored, and tells it with the object ever after.
            all.append(.init("x-amz-checksum-sha256", bodyHash.base64))
        }
        let signer = SigV4Signer(key: key, region: location.region, service: "s3", keepsPath: true)
        let signable = SignableRequest(method: method, target: target, headers: all, bodyHash: bodyHash)
        all += signer.headers(signing: signable, at: now)
        // A store that moves less than 256 KiB a second is as good as away.
        let moving = Duration.seconds((body.count + answerMax) / (256 << 10))
        return HTTPRequest(
            method: method, server: (location.endpoint.isSecure ? "https://" : "http://") + host, target: target,
            headers: all, body: body, silenceMax: location.timeout, timeMax: location.timeout * 2 + moving,
            answerMax: answerMax)
    }
}

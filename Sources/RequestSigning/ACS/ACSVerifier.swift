public import Blocks

/// Checks that a request to one of Alibaba's RPC APIs was signed with a known key, lately, and was not changed since: in the older
/// way with HMAC-SHA1 among its parameters, or in the newer with `ACS3-HMAC-SHA256` in a header.
///
/// That it was not sent before says ``ACSNonces``.
public struct ACSVerifier: Sendable {
    /// How far a client's clock may be off.
    public var skewMax: Duration

    /// Makes one.
    public init(skewMax: Duration = .seconds(900)) { self.skewMax = skewMax }

    /// Is a request signed in the newer way, or in one like it, rightly or wrongly?
    public static func isVersion3(_ request: SignableRequest) -> Bool {
        request.values(of: "authorization")?.first?.hasPrefix("ACS3-") == true
    }

    /// Returns the proven claim.
    ///
    /// - Parameters:
    ///   - request: as received.
    ///   - body: its body: a form, or nothing.
    ///   - now: the house's time.
    ///   - secret: the secret of an access key, or nil if there is no such key.
    public func verify(
        _ request: SignableRequest, body: [UInt8], now: WallTime, secret: (String) -> String?
    ) throws(ACSFailure) -> ACSClaim {
        let parameters = try ACSParameters(query: request.query, form: String(decoding: body, as: UTF8.self))
        return Self.isVersion3(request)
            ? try verifyNewer(request, body, parameters, now, secret)
            : try verifyOlder(request, parameters, now, secret)
    }

    // MARK: The older way

    private func verifyOlder(
        _ request: SignableRequest, _ parameters: ACSParameters, _ now: WallTime, _ secret: (String) -> String?
    ) throws(ACSFailure) -> ACSClaim {
        func needed(_ name: String) throws(ACSFailure) -> String {
            guard let value = parameters[name], !value.isEmpty else { throw .missing(name) }
            return value
        }
        _ = try needed("Version")
        let key = try needed("AccessKeyId")
        let method = try needed("SignatureMethod"), timestamp = try needed("Timestamp")
        let version = try needed("SignatureVersion"), nonce = try needed("SignatureNonce")
        _ = try needed("Action")
        guard let signature = parameters["Signature"], !signature.isEmpty else { throw .incomplete }
        guard let secret = secret(key) else { throw .unknownKey(key) }
        guard parameters["SecurityToken"]?.isEmpty ?? true else { throw .foreignToken }
        guard method == "HMAC-SHA1", version == "1.0" else { throw .incomplete }
        let time = try check(timestamp, now)
        let text =
            "\(request.method)&%2F&"
            + URIEncoding.encode(parameters.canonicalText(without: "Signature").utf8)
        guard let digest = Digests.hmacSHA1(Array(text.utf8), key: Array("\(secret)&".utf8)) else { throw .incomplete }
        guard Digests.areEqual(Array(Base64.encode(digest).utf8), Array(signature.utf8)) else {
            throw .wrongSignature(text)
        }
        return ACSClaim(
            accessKeyID: key, signedAt: time, nonce: nonce, action: parameters["Action"],
            version: parameters["Version"], isVersion3: false, parameters: parameters)
    }

    // MARK: The newer way

    /// These must be signed.
    private static let signedHeaders = [
        "host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version",
    ]

    private func verifyNewer(
        _ request: SignableRequest, _ body: [UInt8], _ parameters: ACSParameters, _ now: WallTime,
        _ secret: (String) -> String?
    ) throws(ACSFailure) -> ACSClaim {
        guard let authorization = request.values(of: "authorization"), authorization.count == 1 else {
            throw .incomplete
        }
        let header = try ACS3Header(authorization[0])
        func needed(_ name: String, _ common: String) throws(ACSFailure) -> String {
            guard let values = request.values(of: name), values.count == 1, !values[0].isEmpty else {
                throw .missing(common)
            }
            return values[0]
        }
        let action = try needed("x-acs-action", "Action"), version = try needed("x-acs-version", "Version")
        let timestamp = try needed("x-acs-date", "Timestamp")
        let nonce = try needed("x-acs-signature-nonce", "SignatureNonce")
        let bodyHash = try needed("x-acs-content-sha256", "ContentSha256")
        guard let secret = secret(header.accessKeyID) else { throw .unknownKey(header.accessKeyID) }
        guard request.values(of: "x-acs-security-token")?.first?.isEmpty ?? true else { throw .foreignToken }
        guard Self.signedHeaders.allSatisfy(header.signedHeaders.contains) else { throw .incomplete }
        let time = try check(timestamp, now)
        let text = try Self.stringToSign(request, header, bodyHash: bodyHash)
        let expected = Digests.hex(Digests.hmac(Array(text.utf8), key: Array(secret.utf8)))
        guard Digests.areEqual(Array(expected.utf8), Array(header.signature.utf8)), BodyHash(of: body).hex == bodyHash
        else { throw .wrongSignature(text) }
        return ACSClaim(
            accessKeyID: header.accessKeyID, signedAt: time, nonce: nonce, action: action, version: version,
            isVersion3: true, parameters: parameters)
    }

    /// ```
    /// ACS3-HMAC-SHA256 \n sha256(METHOD \n path \n query \n name:value\n ... \n signed headers \n body hash)
    /// ```
    private static func stringToSign(
        _ request: SignableRequest, _ header: ACS3Header, bodyHash: String
    ) throws(ACSFailure) -> String {
        let query = try ACSParameters(query: request.query, form: "")
        var lines = [request.method, request.path, query.canonicalText()]
        var headers = ""
        for name in header.signedHeaders {
            let values = request.values(of: name) ?? []
            headers += "\(name):\(values.map { trimmed($0) }.joined(separator: ","))\n"
        }
        lines += [headers, header.signedHeaders.joined(separator: ";"), bodyHash]
        let hash = BodyHash(of: Array(lines.joined(separator: "\n").utf8)).hex
        return "\(ACS3Header.scheme)\n\(hash)"
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let start = text.drop(while: isSpace)
        guard let end = start.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(start[...end])
    }

    private func check(_ timestamp: String, _ now: WallTime) throws(ACSFailure) -> WallTime {
        guard timestamp.utf8.count == 20, let time = WallTime(timestamp) else { throw .badTime }
        let skew = time > now ? time - now : now - time
        guard skew <= skewMax else { throw .expired }
        return time
    }
}

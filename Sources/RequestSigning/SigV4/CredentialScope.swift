internal import Blocks

/// What a signature is good for: a day, a region, a service.
public struct CredentialScope: Equatable, Sendable {
    /// `20150830`.
    public var day: String
    /// `us-east-1`, or whatever the house calls its region.
    public var region: String
    /// `varve`, `ec2`, ...
    public var service: String

    static let terminator = "aws4_request"

    var text: String { "\(day)/\(region)/\(service)/\(Self.terminator)" }

    /// The signature of `canonical`, made at `instant`, 32 bytes: a key derived for the scope signs a digest.
    func signature(of canonical: CanonicalRequest, at instant: String, secret: String) -> [UInt8] {
        let digest = Digests.hex(Digests.sha256(Array(canonical.text.utf8)))
        let toSign = "\(SigV4.algorithm)\n\(instant)\n\(text)\n\(digest)"
        let key = [day, region, service, Self.terminator].reduce(Array("AWS4\(secret)".utf8)) { key, part in
            Digests.hmac(Array(part.utf8), key: key)
        }
        return Digests.hmac(Array(toSign.utf8), key: key)
    }
}

/// AWS Signature Version 4, in headers.
public enum SigV4 {
    /// The first word of the `Authorization` header.
    public static let algorithm = "AWS4-HMAC-SHA256"

    /// `20150830T123600Z`, to the second.
    static func text(of instant: WallTime) -> String {
        let digits = instant.description.filter { $0 != "-" && $0 != ":" }
        return String(digits.prefix(15)) + "Z"
    }

    /// Reads `20150830T123600Z`; nil for anything else.
    static func instant(_ text: String) -> WallTime? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16 else { return nil }
        let cuts = [(0, 4, "-"), (4, 6, "-"), (6, 11, ":"), (11, 13, ":"), (13, 16, "")]
        return WallTime(cuts.map { String(decoding: bytes[$0.0..<$0.1], as: UTF8.self) + $0.2 }.joined())
    }
}

import Blocks
import ControlPlane
import TestSupport

@testable import ECSDialect
@testable import RequestSigning

/// Requests that are not believed, or not read: in the words of section 2.5 of the wire contract.
enum SignatureRefusals {
    static let rows =
        ["Version", "AccessKeyId", "SignatureMethod", "Timestamp", "SignatureVersion", "SignatureNonce", "Action"].map {
            refused("no \($0)", [$0: nil], 400, "Missing\($0)", "\($0) is mandatory for this action.")
        } + [
            refused("no signature", ["Signature": nil], 400, "IncompleteSignature", unsigned),
            refused(
                "no such key", ["AccessKeyId": "nobody"], 404, "InvalidAccessKeyId.NotFound",
                "Specified access key is not found."),
            refused(
                "a token", ["SecurityToken": "t"], 400, "InvalidSecurityToken.Malformed",
                "Specified SecurityToken is malformed."),
            refused("another method", ["SignatureMethod": "HMAC-MD5"], 400, "IncompleteSignature", unsigned),
            refused("another version", ["SignatureVersion": "2.0"], 400, "IncompleteSignature", unsigned),
            refused(
                "no time", ["Timestamp": "noon"], 400, "InvalidTimeStamp.Format",
                "Specified time stamp or date value is not well formatted."),
            refused(
                "16 minutes old", ["Timestamp": "2016-02-23T12:30:23Z"], 400, "InvalidTimeStamp.Expired",
                "Specified time stamp or date value is expired."),
            refused(
                "another action", ["Action": "DescribeZones"], 400, "SignatureDoesNotMatch",
                "Specified signature is not matched with our calculation. server string to sign is:GET&%2F&AccessKeyId"
                    + "%3Dtestid%26Action%3DDescribeZones%26Format%3DXML%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce"
                    + "%3D3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf%26SignatureVersion%3D1.0%26Timestamp"
                    + "%3D2016-02-23T12%253A46%253A24Z%26Version%3D2014-05-26"),
            refused(
                "sent again", [:], 400, "SignatureNonceUsed", "Specified signature nonce was used already."),
            refused("not UTF-8", ["Name": "%FF"], 400, "InvalidParameter", "a parameter is not UTF-8"),
            unread("of a wrong kind", .method, 403, "UnsupportedHTTPMethod", "This http method is not supported."),
            unread(
                "too large", .tooLarge, 413, "RequestTooLarge", "The request is larger than this service takes."),
            unread("cut off", .endedEarly, 400, "InvalidParameter", "The request ended too early."),
            unread(
                "after many wrong ones", .throttled, 400, "Throttling.User",
                "Request was denied due to user flow control."),
            OtherRefusal(
                "another version of the API", 400, "InvalidVersion", "Specified parameter Version is not valid."
            ) {
                let door = try await ECSDoor()
                let answer = await door.dialect.answer(request(version: "2016-05-26"), for: .root)
                await door.house.close()
                return try Said(answer)
            },
        ]

    private static let unsigned = "The request signature does not conform to Aliyun standards."

    private static func request(version: String? = nil) -> ECSRequest {
        ECSRequest(
            action: "DescribeRegions", version: version, parameters: ["Format": "JSON"], host: "localhost",
            usuallyJSON: true)
    }

    private static func unread(
        _ situation: String, _ reason: UnreadRequest, _ status: Int, _ code: String, _ message: String
    ) -> OtherRefusal {
        OtherRefusal(situation, status, code, message) {
            let door = try await ECSDoor()
            let answer = door.dialect.refusal(reason, of: request())
            await door.house.close()
            return try Said(answer)
        }
    }

    /// - Parameter change: of a published request that is right, and is sent a second time.
    private static func refused(
        _ situation: String, _ change: [String: String?], _ status: Int, _ code: String, _ message: String
    ) -> OtherRefusal {
        OtherRefusal(situation, status, code, message) {
            let door = try await ECSDoor()
            let failure = failure(of: change)
            let answer = failure.map { door.dialect.refusal($0, of: request()) }
            await door.house.close()
            return try answer.map { try Said($0) } ?? Said(status: 200, code: "", message: "")
        }
    }

    private static func failure(of change: [String: String?]) -> ACSFailure? {
        var parameters: [String: String] = [
            "Action": "DescribeRegions", "Format": "XML", "Version": "2014-05-26", "AccessKeyId": "testid",
            "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "Timestamp": "2016-02-23T12:46:24Z",
            "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", "Signature": "OLeaidS1JvxuMvnyHOwuJ%2BuX5qY%3D",
        ]
        for (name, value) in change { parameters[name] = value }
        let query = parameters.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
        let request = SignableRequest(
            method: "GET", target: "/?\(query)", headers: [.init("host", "ecs.aliyuncs.com")], bodyHash: .empty)
        var nonces = ACSNonces()
        let now = WallTime(milliseconds: 1_456_231_584_000)
        do throws(ACSFailure) {
            for _ in 0..<2 {
                let claim = try ACSVerifier().verify(request, body: [], now: now) {
                    $0 == "testid" ? "testsecret" : nil
                }
                try nonces.take(claim.nonce, of: claim.accessKeyID, until: now + .seconds(900), at: now)
            }
            return nil
        } catch { return error }
    }
}

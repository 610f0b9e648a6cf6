import Blocks
import ObjectStore
import Testing

@testable import S3

/// A refusal names the setting to change.
@Suite struct FailureTests {
    private func failures(offset: Duration = .zero, _ more: String = "") throws -> S3Failures {
        S3Failures(location: try Shop.location(more), accessKeyID: "AKID", now: StillClock(offset: offset).now())
    }

    @Test(
        "each refusal says what to look at",
        arguments: [
            ("InvalidAccessKeyId", 403, "AWS_ACCESS_KEY_ID"), ("SignatureDoesNotMatch", 403, "AWS_SECRET_ACCESS_KEY"),
            ("ExpiredToken", 400, "AWS_SESSION_TOKEN"), ("InvalidToken", 400, "AWS_SESSION_TOKEN"),
            ("NoSuchBucket", 404, "endpoint="), ("AccessDenied", 403, "right to read, write"),
            ("QuotaExceeded", 403, "quota"), ("PermanentRedirect", 301, "region="), ("", 403, "key and its rights"),
            ("", 400, "endpoint="), ("", 200, "endpoint="), ("NotImplemented", 501, "varve store check"),
            ("", 507, "quota"),
        ])
    func names(_ code: String, _ status: Int, _ word: String) throws {
        guard case .permanent(let reason) = try failures().failure(S3Refusal(code: code), status: status, key: "k")
        else {
            Issue.record("\(code) is not permanent")
            return
        }
        #expect(reason.contains(word), "\(reason)")
    }

    @Test(
        "what may pass is transient",
        arguments: [
            ("SlowDown", 503), ("InternalError", 500), ("", 500), ("", 502), ("", 503), ("", 504), ("", 429),
            ("RequestTimeout", 400), ("BadDigest", 400), ("ConditionalRequestConflict", 409), ("OperationAborted", 409),
        ])
    func transient(_ code: String, _ status: Int) throws {
        guard case .transient = try failures().failure(S3Refusal(code: code), status: status) else {
            Issue.record("\(code) \(status) is not transient")
            return
        }
    }

    @Test("a clock that is off is told by how much, and which way")
    func skew() throws {
        let date = "Tue, 14 Nov 2023 22:13:20 GMT"
        let ahead = try failures(offset: .seconds(1234)).failure(
            S3Refusal(code: "RequestTimeTooSkewed"), status: 403, date: date)
        #expect("\(ahead)".contains("20 min 34 s ahead of") && "\(ahead)".contains("set the clock"))
        let behind = try failures(offset: .seconds(-90_000)).failure(S3Refusal(), status: 403, date: date)
        #expect("\(behind)".contains("25 h 0 min behind"))
        let right = try failures(offset: .seconds(30)).failure(S3Refusal(code: "AccessDenied"), status: 403, date: date)
        #expect(!"\(right)".contains("clock"))
    }

    @Test("the right region is named if the server knows it")
    func region() throws {
        var refusal = S3Refusal(code: "AuthorizationHeaderMalformed")
        refusal.region = "eu-7"
        #expect("\(try failures().failure(refusal, status: 400))".contains("set region=eu-7"))
    }

    @Test("a silence or a broken connection may pass; a certificate without trust does not")
    func exchange() throws {
        let place = try Shop.location()
        for failure in [ExchangeFailure.refused, .unknownHost, .timedOut, .lost("reset")] {
            guard case .transient = S3Failures.failure(failure, at: place) else {
                Issue.record("\(failure)")
                continue
            }
        }
        guard case .permanent(let reason) = S3Failures.failure(.insecure("x"), at: place) else {
            Issue.record("an untrusted certificate is permanent")
            return
        }
        #expect(reason.contains("ca="))
    }

    @Test("an answer of status 200 that is no XML is not taken for a listing")
    func notAnS3Server() throws {
        let server = FakeServer { _, _ in .refuse(200, "x") }
        guard
            case .permanent(let reason) = Shop.failure({
                _ = try Shop.store(server).list(prefix: "", startAfter: nil, limit: 5)
            })
        else {
            Issue.record("it was taken for a listing")
            return
        }
        #expect(reason.contains("endpoint="))
    }
}

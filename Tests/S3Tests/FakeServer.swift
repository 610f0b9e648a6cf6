import Blocks
import RequestSigning
import S3

/// An S3 server in memory, strict where real ones are: it checks signatures, times and checksums. `fault` spoils requests.
final class FakeServer: HTTPExchange {
    enum Fault: Equatable, Sendable {
        /// Nothing is done; the answer is this refusal.
        case refuse(Int, String)
        /// It is done, and the answer never comes.
        case loseAnswer
        /// It is done, and half of the answer's body comes.
        case truncate
        /// Nothing is done, nothing comes.
        case refuseConnection
        /// One bit of the answer's body is wrong.
        case flipBit
    }
    private struct Object {
        var bytes: [UInt8]
        var checksum: String?
    }
    private struct State {
        var objects: [String: Object] = [:]
        var uploads: [String: [Int: [UInt8]]] = [:]
        var requests: [HTTPRequest] = []
    }
    private let state = Guarded(State())
    private let fault: @Sendable (Int, HTTPRequest) -> Fault?
    let clock: any HouseClock
    static let bucket = "test-bucket"
    static let key = SigningKey(accessKeyID: "AKID", secret: "secret/+key", sessionToken: "token==")

    init(
        clock: any HouseClock = SystemClock(), fault: @escaping @Sendable (Int, HTTPRequest) -> Fault? = { _, _ in nil }
    ) {
        self.clock = clock
        self.fault = fault
    }

    var requests: [HTTPRequest] { state.withLock { $0.requests } }
    var keys: [String] { state.withLock { $0.objects.keys.sorted() } }
    var openUploads: Int { state.withLock { $0.uploads.count } }

    func send(_ request: HTTPRequest) throws(ExchangeFailure) -> HTTPAnswer {
        let number = state.withLock { state in
            state.requests.append(request)
            return state.requests.count
        }
        let fault = fault(number, request)
        if fault == .refuseConnection { throw .refused }
        if case .refuse(let status, let code) = fault { return refusal(status, code) }
        var answer = state.withLock { respond(request, &$0) }
        answer.headers.append(.init("Content-Length", "\(answer.body.count)"))
        answer.headers.append(.init("Date", "Tue, 14 Nov 2023 22:13:20 GMT"))
        if fault == .loseAnswer { throw .lost("lost on purpose") }
        if fault == .truncate { answer.body.removeLast((answer.body.count + 1) / 2) }
        if fault == .flipBit, !answer.body.isEmpty { answer.body[answer.body.count / 2] ^= 4 }
        if request.method == "HEAD", let size = answer.header("x-size") {
            answer.headers[answer.headers.count - 2] = .init("Content-Length", size)
        }
        return answer
    }

    private func refusal(_ status: Int, _ code: String) -> HTTPAnswer {
        HTTPAnswer(
            status: status, headers: [],
            body: Array(
                "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>why &lt;not&gt;</Message></Error>".utf8))
    }

    private func respond(_ request: HTTPRequest, _ state: inout State) -> HTTPAnswer {
        if let problem = signatureProblem(request) { return refusal(403, problem) }
        let parts = request.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path = String(parts[0])
        if request.server.contains("//\(Self.bucket).") {
            path = String(path.dropFirst())
        } else {
            guard path == "/\(Self.bucket)" || path.hasPrefix("/\(Self.bucket)/") else {
                return refusal(404, "NoSuchBucket")
            }
            path = String(path.dropFirst(Self.bucket.count + 2))
        }
        var query: [String: String] = [:]
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[String(halves[0])] = String(decoding: URIEncoding.decodeQuery(halves[1]), as: UTF8.self)
        }
        return path.isEmpty ? bucketAnswer(request, query, &state) : objectAnswer(request, path, query, &state)
    }

    private func signatureProblem(_ request: HTTPRequest) -> String? {
        let signable = SignableRequest(
            method: request.method, target: request.target, headers: request.headers,
            bodyHash: BodyHash(of: request.body))
        guard request.headers.contains(where: { $0.name == "x-amz-security-token" && $0.value == "token==" }) else {
            return "InvalidToken"
        }
        do {
            _ = try SigV4Verifier(services: ["s3"]).verify(signable, now: clock.now()) {
                $0 == Self.key.accessKeyID ? Self.key.secret : nil
            }
            return nil
        } catch { return "SignatureDoesNotMatch" }
    }

    private func header(_ request: HTTPRequest, _ name: String) -> String? {
        request.headers.first { $0.name.lowercased() == name }?.value
    }

    private func bucketAnswer(_ request: HTTPRequest, _ query: [String: String], _ state: inout State) -> HTTPAnswer {
        if request.method == "POST", query["delete"] != nil {
            guard header(request, "content-md5") == BodyHash.md5(of: request.body) else {
                return refusal(400, "BadDigest")
            }
            let text = String(decoding: request.body, as: UTF8.self)
            for part in text.components(between: "<Key>", and: "</Key>") { state.objects[part] = nil }
            return HTTPAnswer(status: 200, headers: [], body: Array("<DeleteResult/>".utf8))
        }
        guard request.method == "GET", query["list-type"] == "2" else { return refusal(501, "NotImplemented") }
        let prefix = query["prefix"] ?? "", after = query["continuation-token"] ?? query["start-after"] ?? ""
        // Smaller pages than asked for: a client must follow the token, not count.
        let limit = min(Int(query["max-keys"] ?? "") ?? 1000, 3)
        let all = state.objects.keys.filter { $0.hasPrefix(prefix) && $0 > after }.sorted()
        let page = all.prefix(limit)
        var body =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3/\"><EncodingType>url</EncodingType>"
        body += "<IsTruncated>\(page.count < all.count)</IsTruncated>"
        if page.count < all.count, let last = page.last {
            body += "<NextContinuationToken>\(last)</NextContinuationToken>"
        }
        for key in page {
            let encoded = URIEncoding.encode(key.utf8)
            body += "<Contents><Key>\(encoded)</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified>"
            body += "<Size>\(state.objects[key]?.bytes.count ?? 0)</Size><ETag>&quot;x&quot;</ETag></Contents>"
        }
        return HTTPAnswer(status: 200, headers: [], body: Array((body + "</ListBucketResult>").utf8))
    }

    private func objectAnswer(
        _ request: HTTPRequest, _ key: String, _ query: [String: String], _ state: inout State
    ) -> HTTPAnswer {
        switch (request.method, query["uploadId"]) {
        case ("PUT", nil): return put(request, key, &state)
        case ("PUT", let id?):
            guard let number = query["partNumber"].flatMap({ Int($0) }), state.uploads[id] != nil else {
                return refusal(404, "NoSuchUpload")
            }
            state.uploads[id]?[number] = request.body
            return HTTPAnswer(status: 200, headers: [.init("ETag", "\"part\(number)\"")], body: [])
        case ("POST", nil):
            let id = "upload+\(state.requests.count)/="
            state.uploads[id] = [:]
            let body = "<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>"
            return HTTPAnswer(status: 200, headers: [], body: Array(body.utf8))
        case ("POST", let id?):
            guard let parts = state.uploads.removeValue(forKey: id) else { return refusal(404, "NoSuchUpload") }
            let named = String(decoding: request.body, as: UTF8.self).components(between: "<PartNumber>", and: "</")
            state.objects[key] = Object(bytes: named.flatMap { parts[Int($0) ?? 0] ?? [] })
            return HTTPAnswer(status: 200, headers: [], body: Array("<CompleteMultipartUploadResult/>".utf8))
        case ("DELETE", let id?):
            return state.uploads.removeValue(forKey: id) == nil
                ? refusal(404, "NoSuchUpload") : HTTPAnswer(status: 204, headers: [], body: [])
        case ("DELETE", nil):
            state.objects[key] = nil
            return HTTPAnswer(status: 204, headers: [], body: [])
        default: return get(request, key, state)
        }
    }

    private func put(_ request: HTTPRequest, _ key: String, _ state: inout State) -> HTTPAnswer {
        if header(request, "if-none-match") == "*", state.objects[key] != nil {
            return refusal(412, "PreconditionFailed")
        }
        let sum = header(request, "x-amz-checksum-sha256")
        guard sum == nil || sum == BodyHash(of: request.body).base64 else { return refusal(400, "BadDigest") }
        state.objects[key] = Object(bytes: request.body, checksum: sum)
        return HTTPAnswer(status: 200, headers: [.init("ETag", "\"x\"")], body: [])
    }

    private func get(_ request: HTTPRequest, _ key: String, _ state: State) -> HTTPAnswer {
        guard let object = state.objects[key] else {
            var answer = refusal(404, "NoSuchKey")
            if request.method == "HEAD" { answer.body = [] }
            return answer
        }
        if request.method == "HEAD" {
            return HTTPAnswer(status: 200, headers: [.init("x-size", "\(object.bytes.count)")], body: [])
        }
        guard let range = header(request, "range") else {
            let sum = object.checksum.map { [SignableRequest.Header("x-amz-checksum-sha256", $0)] } ?? []
            return HTTPAnswer(status: 200, headers: sum, body: object.bytes)
        }
        let ends = range.dropFirst("bytes=".count).split(separator: "-").compactMap { Int($0) }
        guard ends.count == 2, ends[0] < object.bytes.count else { return refusal(416, "InvalidRange") }
        let end = min(ends[1] + 1, object.bytes.count)
        return HTTPAnswer(
            status: 206, headers: [.init("Content-Range", "bytes \(ends[0])-\(end - 1)/\(object.bytes.count)")],
            body: Array(object.bytes[ends[0]..<end]))
    }
}

extension String {
    /// What stands between two marks, wherever they come.
    func components(between open: String, and close: String) -> [String] {
        var found: [String] = []
        var rest = Substring(self)
        while let start = rest.firstRange(of: open) {
            rest = rest[start.upperBound...]
            guard let end = rest.firstRange(of: close) else { break }
            found.append(String(rest[..<end.lowerBound]))
            rest = rest[end.upperBound...]
        }
        return found
    }
}

internal import Blocks
internal import ObjectStore
internal import RequestSigning
@testable internal import S3
internal import Simulation

extension FuzzTarget {
    static let s3Store = FuzzTarget("s3-store", bytesMax: 1024, seeds: S3StoreTarget.seeds, S3StoreTarget.run)
}

/// A store whose server answers anything, the same few answers in turn for ever: every call ends, after a bounded number
/// of requests, in a failure or in what its contract promises.
enum S3StoreTarget {
    private static let requestsMax = 3000

    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let call = input.choice(8), detail = Int(input.byte())
        let exchange = ScriptedExchange(requestsMax: requestsMax, &input)
        let store = S3Store(
            try S3Location("s3://bucket/pre?endpoint=http://s3.test&region=r", environment: [:]),
            credentials: S3Credentials(.fixed(SigningKey(accessKeyID: "AKID", secret: "s"))), exchange: exchange,
            clock: ManualClock(passesSleeps: true), multipartAbove: 64, part: 16)
        do { try perform(call, detail, store) } catch let failure as StoreFailure {
            try demand(!failure.description.isEmpty, "a failure says something")
        }
        try demand(exchange.count < requestsMax, "a call asks a bounded number of times")
    }

    private static func perform(_ call: Int, _ detail: Int, _ store: S3Store) throws {
        let small = [UInt8](repeating: 1, count: detail % 64), large = [UInt8](repeating: 2, count: 65 + detail)
        switch call {
        case 0: try small.readBytes { (bytes) throws(StoreFailure) in try store.put(bytes, at: "key") }
        case 1: try large.readBytes { (bytes) throws(StoreFailure) in try store.put(bytes, at: "key") }
        case 2: _ = try small.readBytes { (bytes) throws(StoreFailure) in try store.putIfAbsent(bytes, at: "key") }
        case 3: _ = try store.get("key", range: nil)
        case 4:
            let range = ByteRange(at: ByteOffset(detail % 16), count: ByteCount(detail / 16))
            let found = try store.get("key", range: range)
            try demand(found.count == range.count.bytes, "a range is whole")
        case 5: if let size = try store.size(of: "key") { try demand(size >= .zero, "an object has a size") }
        case 6: try list(store, startAfter: detail & 1 == 1 ? "a/b" : nil, limit: detail & 2 == 0 ? 1000 : 3)
        default: try store.delete((0...detail % 4).map { "key-\($0)" })
        }
    }

    /// Whatever the server lists, who asked gets keys below the prefix, each once and in order.
    private static func list(_ store: S3Store, startAfter: String?, limit: Int) throws {
        let found = try store.list(prefix: "a/", startAfter: startAfter, limit: limit)
        try demand(found.count <= limit, "no more is listed than was asked for")
        var last = startAfter.map { Array($0.utf8) } ?? []
        for entry in found {
            let key = Array(entry.key.utf8)
            try demand(entry.key.hasPrefix("a/") && entry.size >= .zero, "\(entry) was asked for")
            try demand(last.lexicographicallyPrecedes(key), "\(entry.key) comes in order")
            last = key
        }
    }

    static func seeds() -> [[UInt8]] {
        var all: [[UInt8]] = []
        // Every call: one answer of each status, with each document.
        for call in 0..<8 as Range<UInt8> {
            for status in [0, 3, 6, 8, 10, 13, 15] as [UInt8] {
                all.append([call, 35, 0, 1, status, 1, 0, 3, 16, 2])
            }
            for document in 0..<6 as Range<UInt8> { all.append([call, 35, 0, 1, 0, 0, 3, document]) }
        }
        // Listings of several pages.
        for keys in [[1, 2], [2, 1], [1, 1], [7, 8]] as [[UInt8]] {
            var seed = SeedBuilder(6, 0, 1)
            for key in keys { seed.add(1, 0, 0, 4, 2, key, 5, key + 1, 6, key) }
            all.append(seed.bytes)
        }
        return all
    }
}

/// A server that gives the answers of a script in turn, for ever.
final class ScriptedExchange: HTTPExchange {
    private let answers: [Result<HTTPAnswer, ExchangeFailure>]
    private let requestsMax: Int
    private let asked = Guarded(0)

    init(requestsMax: Int, _ input: inout FuzzInput) {
        self.requestsMax = requestsMax
        var answers: [Result<HTTPAnswer, ExchangeFailure>] = []
        for _ in 0..<1 + input.choice(4) { answers.append(Self.answer(&input)) }
        self.answers = answers
    }

    /// How often it was asked.
    var count: Int { asked.withLock { $0 } }

    func send(_ request: HTTPRequest) throws(ExchangeFailure) -> HTTPAnswer {
        let number = asked.change { count in
            count += 1
            return count
        }
        guard number < requestsMax else { throw .refused }
        let answer = try answers[(number - 1) % answers.count].get()
        if answer.body.count > request.answerMax { throw .tooLong }
        return answer
    }

    private static func answer(_ input: inout FuzzInput) -> Result<HTTPAnswer, ExchangeFailure> {
        let failures = [ExchangeFailure.unknownHost, .refused, .timedOut, .lost("x"), .insecure("y"), .tooLong]
        if input.choice(16) == 15 { return .failure(input.pick(failures)) }
        let statuses = [200, 200, 200, 200, 206, 206, 204, 301, 400, 403, 404, 409, 412, 416, 429, 500, 501, 503, 507]
        let choice = input.choice(statuses.count + 1)
        let status = choice < statuses.count ? statuses[choice] : Int(input.number(UInt16.self))
        let headers = (0..<input.choice(4)).map { _ in header(&input) }
        return .success(HTTPAnswer(status: status, headers: headers, body: body(&input)))
    }

    private static func header(_ input: inout FuzzInput) -> SignableRequest.Header {
        let names = [
            "content-length", "Content-Range", "x-amz-checksum-sha256", "ETag", "date", "x-amz-bucket-region",
        ]
        let name = input.pick(names)
        switch input.choice(4) {
        case 0: return .init(name, "\(input.edge())")
        case 1: return .init(name, "bytes 0-0/\(input.edge())")
        case 2: return .init(name, "Tue, 14 Nov 2023 22:13:20 GMT")
        default: return .init(name, input.text())
        }
    }

    private static func body(_ input: inout FuzzInput) -> [UInt8] {
        switch input.choice(5) {
        case 0: []
        case 1: [UInt8](repeating: 7, count: Int(input.byte()))
        case 2: input.piece()
        case 3: Array(input.pick(S3Answers.all).utf8)
        default: page(&input)
        }
    }

    /// A page of a listing.
    private static func page(_ input: inout FuzzInput) -> [UInt8] {
        var text = "<ListBucketResult>"
        for _ in 0..<input.choice(4) {
            let choice = input.byte()
            let key = choice < 200 ? "pre/a/\(choice)" : input.text()
            text +=
                "<Contents><Key>\(XMLElement.escaped(key))</Key><Size>\(input.byte())</Size>"
                + "<LastModified>2023-11-14T22:13:20Z</LastModified></Contents>"
        }
        let next = input.choice(8)
        if next > 0 {
            text += "<IsTruncated>true</IsTruncated><NextContinuationToken>\(next)</NextContinuationToken>"
        }
        return Array((text + "</ListBucketResult>").utf8)
    }
}

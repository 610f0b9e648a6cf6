public import Blocks
public import ObjectStore
internal import RequestSigning

/// Objects in a bucket of an S3 server.
///
/// Every call is one request, or as many as the answer needs, and is tried once: wrap it in a ``RetryingStore``. All calls
/// but a conditional put are idempotent; a conditional put is refused when the object is there, also if an earlier try of
/// the same put made it whose answer was lost. Only a store that keeps the condition can hold a repository;
/// `varve store check` finds out.
public final class S3Store: ObjectStore {
    let location: S3Location
    private let credentials: S3Credentials
    private let exchange: any HTTPExchange
    private let clock: any HouseClock
    private let pace = Guarded(S3Pace())
    /// A larger object goes up in parts.
    let multipartAbove: ByteCount
    /// The size of a part; at most 10 000 parts make an object.
    let part: ByteCount

    /// A store that speaks through `exchange`. Asks nothing yet.
    ///
    /// - Parameters:
    ///   - multipartAbove: what fits is put in one request; at least one part.
    ///   - part: S3 servers want at least 5 MiB.
    public init(
        _ location: S3Location, credentials: S3Credentials, exchange: any HTTPExchange,
        clock: any HouseClock = SystemClock(), multipartAbove: ByteCount = .mebibytes(64),
        part: ByteCount = .mebibytes(32)
    ) {
        precondition(part.bytes > 0 && part <= multipartAbove)
        self.location = location
        self.credentials = credentials
        self.exchange = exchange
        self.clock = clock
        self.multipartAbove = multipartAbove
        self.part = part
    }

    /// See ``ObjectStore``. Above 64 MiB it goes up in parts.
    public func put(_ bytes: RawSpan, at key: String) throws(StoreFailure) {
        try ObjectKey.check(key)
        if bytes.byteCount > multipartAbove.bytes { return try putInParts(bytes, at: key) }
        var order = S3Order("PUT", full(key))
        order.body = [UInt8](copying: bytes)
        _ = try answer(to: order, about: key)
    }

    /// See ``ObjectStore``. Always one request, whatever its size: in one the condition is checked by every server.
    public func putIfAbsent(_ bytes: RawSpan, at key: String) throws(StoreFailure) -> Bool {
        try ObjectKey.check(key)
        var order = S3Order("PUT", full(key))
        order.headers.append(.init("if-none-match", "*"))
        order.body = [UInt8](copying: bytes)
        let answer = try send(order)
        if answer.status == 412 { return false }
        guard answer.isSuccess else { throw try refusal(answer, about: key) }
        return true
    }

    /// See ``ObjectStore``.
    public func get(_ key: String, range: ByteRange?) throws(StoreFailure) -> [UInt8] {
        try ObjectKey.check(key)
        guard let range else { return try whole(key) }
        guard range.count.bytes > 0 else { return try nothing(of: key, at: range.start) }
        var order = S3Order("GET", full(key))
        order.headers.append(.init("range", "bytes=\(range.start.bytes)-\(range.end.bytes - 1)"))
        order.answerMax = range.count.bytes + (1 << 20)
        let answer = try answer(to: order, about: key)
        return try slice(range, of: answer, key)
    }

    private func whole(_ key: String) throws(StoreFailure) -> [UInt8] {
        var order = S3Order("GET", full(key))
        order.headers.append(.init("x-amz-checksum-mode", "ENABLED"))
        order.answerMax = 1 << 30
        let answer = try answer(to: order, about: key)
        if let sum = answer.header("x-amz-checksum-sha256"), !sum.contains("-"), BodyHash(of: answer.body).base64 != sum
        {
            throw .transient("\(key) came damaged: its SHA-256 is not the one that the store has for it")
        }
        return answer.body
    }

    /// What a range asked for, of an answer that may hold less (the object ends) or more (the server ignores ranges).
    private func slice(_ range: ByteRange, of answer: HTTPAnswer, _ key: String) throws(StoreFailure) -> [UInt8] {
        if answer.status == 200 {
            guard range.end.bytes <= answer.body.count else { throw .truncated(key: key) }
            return Array(answer.body[range.start.bytes..<range.end.bytes])
        }
        guard answer.body.count != range.count.bytes else { return answer.body }
        if let total = Self.total(answer), range.end > ByteOffset(total.bytes) { throw .truncated(key: key) }
        throw .transient("\(answer.body.count) of \(range.count.bytes) bytes came for \(key)")
    }

    /// How large the object is of which a part came: the number behind the slash of `bytes 0-0/123`.
    private static func total(_ answer: HTTPAnswer) -> ByteCount? {
        let text = answer.header("content-range")?.split(separator: "/").last
        return text.flatMap { Int($0) }.flatMap { $0 >= 0 ? ByteCount($0) : nil }
    }

    /// A range of no bytes, which HTTP cannot express.
    private func nothing(of key: String, at start: ByteOffset) throws(StoreFailure) -> [UInt8] {
        guard let size = try size(of: key) else { throw .missing(key: key) }
        guard start.bytes <= size.bytes else { throw .truncated(key: key) }
        return []
    }

    /// See ``ObjectStore``. An answer without a body cannot say what is missing, object or bucket: then a second request asks.
    public func size(of key: String) throws(StoreFailure) -> ByteCount? {
        try ObjectKey.check(key)
        let answer = try send(S3Order("HEAD", full(key)))
        if answer.isSuccess {
            guard let size = answer.header("content-length").flatMap({ Int($0) }), size >= 0 else {
                throw .permanent("\(location.endpoint) does not say how large \(key) is: is it an S3 server?")
            }
            return ByteCount(size)
        }
        do throws(StoreFailure) {
            var order = S3Order("GET", full(key))
            order.headers.append(.init("range", "bytes=0-0"))
            let answer = try self.answer(to: order, about: key)
            // Put in between the two requests.
            if let total = Self.total(answer) { return total }
            throw StoreFailure.transient("\(location.endpoint) answered \(answer.status) for \(key) just now")
        } catch {
            switch error {
            case .missing: return nil
            case .truncated: return .zero
            case .transient, .permanent: throw error
            }
        }
    }

    // MARK: Requests

    func full(_ key: String) -> String { location.prefix + key }

    /// Sends an order once and returns a successful answer.
    func answer(to order: S3Order, about key: String?) throws(StoreFailure) -> HTTPAnswer {
        let answer = try send(order)
        guard answer.isSuccess else { throw try refusal(answer, about: key) }
        return answer
    }

    /// Sends an order once and returns whatever comes, as long as all of it does.
    func send(_ order: S3Order) throws(StoreFailure) -> HTTPAnswer {
        let key = try credentials.current()
        let wait = pace.withLock { $0.turn(at: clock.uptime()) }
        if wait > .zero { clock.sleep(wait) }
        let answer: HTTPAnswer
        do { answer = try exchange.send(order.signed(for: location, with: key, at: clock.now())) } catch {
            throw S3Failures.failure(error, at: location)
        }
        note(answer)
        if order.method != "HEAD", let announced = answer.header("content-length").flatMap({ Int($0) }),
            announced != answer.body.count
        {
            throw .transient("\(answer.body.count) of \(announced) bytes came from \(location.endpoint)")
        }
        return answer
    }

    /// Learns from an answer how fast to go on, and whether the key is to be read again.
    private func note(_ answer: HTTPAnswer) {
        if answer.status == 429 || answer.status == 503 {
            pace.withLock { $0.noteThrottled(at: clock.uptime()) }
        } else if answer.isSuccess {
            pace.withLock { $0.noteSuccess() }
        }
        // An expired token is 400, everything else about keys 401 or 403.
        if [400, 401, 403].contains(answer.status) { credentials.distrust() }
    }

    func refusal(_ answer: HTTPAnswer, about key: String?) throws(StoreFailure) -> StoreFailure {
        try failures().failure(answer, key: key)
    }

    func failures() throws(StoreFailure) -> S3Failures {
        S3Failures(location: location, accessKeyID: try credentials.current().accessKeyID, now: clock.now())
    }
}

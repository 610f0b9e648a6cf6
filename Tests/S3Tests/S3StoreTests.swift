import Blocks
import ObjectStore
import RequestSigning
import Testing
import TestSupport

@testable import S3

@Suite struct S3StoreTests {
    private func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) } }

    @Test("a large object goes up in parts and comes back whole", arguments: [(2 << 20) + 1, 3 << 20, (3 << 20) + 5])
    func parts(size: Int) throws {
        let server = FakeServer()
        let store = try Shop.store(server)
        let bytes = pattern(size)
        try Shop.put(bytes, "large", store)
        #expect(server.requests.filter { $0.target.contains("partNumber=") }.count == (size + (1 << 20) - 1) >> 20)
        #expect(try store.get("large", range: nil) == bytes, "\(size) bytes")
        #expect(server.openUploads == 0)
    }

    @Test("a part that is refused for now is sent again")
    func partAgain() throws {
        let server = FakeServer { number, _ in number == 2 || number == 3 ? .refuse(500, "InternalError") : nil }
        try Shop.put(pattern(3 << 20), "large", Shop.store(server))
        #expect(server.keys == ["pre/fix/large"])
    }

    @Test("an upload in parts that fails is aborted, whichever request fails", arguments: 2...5)
    func aborted(from first: Int) throws {
        let server = FakeServer { number, request in
            number >= first && request.method != "DELETE" ? .refuse(403, "AccessDenied") : nil
        }
        #expect(throws: StoreFailure.self) { try Shop.put(pattern(3 << 20), "large", Shop.store(server)) }
        #expect(server.openUploads == 0 && server.keys == [])
    }

    @Test("an upload in parts whose last answer is lost is put again and ends whole")
    func lostCompletion() throws {
        let server = FakeServer { number, _ in number == 5 ? .loseAnswer : nil }
        let clock = StillClock()
        try Shop.put(pattern(3 << 20), "large", RetryingStore(Shop.store(server), clock: clock))
        #expect(server.keys == ["pre/fix/large"] && server.openUploads == 0)
    }

    @Test("a refusal inside an answer of status 200 fails an upload in parts")
    func refusedCompletion() throws {
        let server = FakeServer { number, _ in number == 5 ? .refuse(200, "InternalError") : nil }
        let failure = Shop.failure { try Shop.put(pattern(3 << 20), "large", Shop.store(server)) }
        guard case .transient = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(server.openUploads == 0)
    }

    @Test("a conditional put whose answer was lost is recognised as one's own, another's is not")
    func lostConditionalPut() throws {
        let server = FakeServer { number, _ in number == 1 ? .loseAnswer : nil }
        let store = RetryingStore(try Shop.store(server), clock: StillClock())
        #expect(try Shop.putIfAbsent([1, 2, 3], "k", store))
        #expect(try !Shop.putIfAbsent([1, 2, 4], "k", store))
        #expect(try store.get("k", range: nil) == [1, 2, 3])
    }

    @Test("a whole object that came damaged is noticed by the checksum that the server has for it")
    func damaged() throws {
        let server = FakeServer { number, _ in number == 2 ? .flipBit : nil }
        let store = try Shop.store(server)
        try Shop.put([1, 2, 3], "k", store)
        guard case .transient = Shop.failure({ _ = try store.get("k", range: nil) }) else {
            Issue.record("the damage was not noticed")
            return
        }
        #expect(try store.get("k", range: nil) == [1, 2, 3])
    }

    @Test("a server that gives an object a negative size is not believed", arguments: ["-1", "-9223372036854775808"])
    func negativeSize(_ size: String) throws {
        struct Server: HTTPExchange {
            let size: String
            func send(_ request: HTTPRequest) throws(ExchangeFailure) -> HTTPAnswer {
                if request.method == "HEAD" { return HTTPAnswer(status: 404, headers: [], body: []) }
                let range = SignableRequest.Header("Content-Range", "bytes 0-0/\(size)")
                return HTTPAnswer(status: 206, headers: [range], body: [7])
            }
        }
        let store = S3Store(
            try Shop.location(), credentials: S3Credentials(.fixed(FakeServer.key)), exchange: Server(size: size))
        for body in [
            { _ = try store.size(of: "k") }, { _ = try store.get("k", range: ByteRange(at: 0, count: 0)) },
            { _ = try store.get("k", range: ByteRange(at: 0, count: 5)) },
        ] as [() throws -> Void] {
            guard case .transient = Shop.failure(body) else {
                Issue.record("a size of \(size) was believed")
                continue
            }
        }
    }

    @Test("a missing bucket is not taken for missing objects")
    func missingBucket() throws {
        var place = try Shop.location()
        place.bucket = "other-bucket"
        let store = S3Store(place, credentials: S3Credentials(.fixed(FakeServer.key)), exchange: FakeServer())
        for body in [
            { _ = try store.size(of: "k") }, { _ = try store.get("k", range: nil) },
            { _ = try store.list(prefix: "", startAfter: nil, limit: 1) }, { try store.delete(["a", "b"]) },
            { try store.delete(["a"]) },
        ] as [() throws -> Void] {
            guard case .permanent(let reason) = Shop.failure(body) else {
                Issue.record("it was no refusal")
                continue
            }
            #expect(reason.contains("other-bucket") && reason.contains("store's URL"))
        }
    }

    @Test("deleting many keys takes a request for each thousand")
    func deletesInThousands() throws {
        let server = FakeServer()
        try Shop.store(server).delete((0..<2001).map { "k/\($0)" })
        #expect(server.requests.count == 3)
    }

    @Test("a store that says to slow down is asked more slowly, and faster again when it is well")
    func pace() throws {
        let clock = StillClock()
        let server = FakeServer(clock: clock) { number, _ in number <= 3 ? .refuse(503, "SlowDown") : nil }
        let store = RetryingStore(try Shop.store(server), clock: clock, random: { 1 })
        try Shop.put([1], "k", store)
        let before = clock.sleepSum
        for _ in 0..<100 { try Shop.put([1], "k", store) }
        let slowed = clock.sleepSum - before
        #expect(slowed > .milliseconds(20) && slowed < .seconds(5), "\(slowed)")
        let well = clock.sleepSum
        for _ in 0..<10 { try Shop.put([1], "k", store) }
        #expect(clock.sleepSum == well)
    }
}

@Suite struct S3PaceTests {
    @Test("without refusals nobody waits")
    func free() {
        var pace = S3Pace()
        for _ in 0..<10 { #expect(pace.turn(at: .seconds(1)) == .zero) }
    }

    @Test("turns are kept apart by the gap, whoever asks")
    func turns() {
        var pace = S3Pace()
        pace.noteThrottled(at: .seconds(1))
        #expect((0..<4).map { _ in pace.turn(at: .seconds(1)) } == [0, 20, 40, 60].map { .milliseconds($0) })
    }

    @Test("many refusals at once count as one, and the gap has a limit")
    func raises() {
        var pace = S3Pace()
        for _ in 0..<8 { pace.noteThrottled(at: .seconds(1)) }
        #expect(pace.gap == S3Pace.gapMin)
        for second in 2..<20 { pace.noteThrottled(at: .seconds(second)) }
        #expect(pace.gap == S3Pace.gapMax)
        for _ in 0..<100 { pace.noteSuccess() }
        #expect(pace.gap == .zero)
    }
}

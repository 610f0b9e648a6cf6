import Blocks
import TestSupport
import Testing

@testable import NBD
@testable import TLS

/// The server over real sockets, encrypted.
@Suite struct TLSServerTests {
    /// A server that offers TLS, and what it reported.
    final class TLSHouse {
        let folder: TLSFolder
        let house: ServerTests.House
        let reports = Guarded<[String]>([])
        var path: String { house.path }

        init(required: Bool = true, limit: Duration = .seconds(20)) throws {
            folder = try TLSFolder()
            let security = try TLSSecurity(try folder.files(authorities: TestPEM.authority))
            let reports = reports
            house = try ServerTests.House(
                tls: TLSOffer(security: security, isRequired: required, handshakeLimit: limit)
            ) { text in reports.change { $0.append(text) } }
        }
    }
    static let alice = TestTLS.client(certificate: (TestPEM.client, key: TestPEM.clientKey))

    @Test("what is written is read back over TLS, in small and large pieces")
    func roundTrip() throws {
        let house = try TLSHouse()
        let client = try TestClient(house.path, export: "plain", contexts: ["base:allocation"], tls: Self.alice)
        for (offset, count) in [(0, 1), (1, 511), (4095, 4098), (65_536, 131_072), (1 << 20, 2 << 20)] {
            let data = [UInt8].pattern(count, seed: UInt64(offset + 1))
            #expect(try client.write(data, at: offset).error == 0)
            let same = try client.ask(.read, offset: offset, length: count).data == data
            #expect(same)
        }
        #expect(try client.ask(.flush).error == 0)
        #expect(try client.ask(.blockStatus, offset: 0, length: 4096).status.count == 1)
        #expect(house.reports.withLock { $0 } == [])
    }

    @Test("requests that come in one record, and one request in many, are all answered")
    func pipelined() throws {
        let house = try TLSHouse(), client = try TestClient(house.path, export: "plain", tls: Self.alice)
        var script: [UInt8] = []
        for cookie in 1...500 as ClosedRange<UInt64> {
            script += Say.write(.pattern(512, seed: cookie), at: Int(cookie) * 512, cookie: cookie)
        }
        try client.send(script)
        var seen: Set<UInt64> = []
        for _ in 1...500 { seen.insert(try client.reply().cookie) }
        #expect(seen == Set(1...500))
        for byte in Say.request(.read, cookie: 7, offset: 512, length: 512) { try client.send([byte]) }
        #expect(try client.reply().reply.data == .pattern(512, seed: 1))
    }

    @Test("many clients at once each get their own bytes")
    func parallel() throws {
        let house = try TLSHouse(), failures = Guarded(0), path = house.path
        let threads = (0..<6).map { number in
            OSThread(name: "test") {
                do {
                    let client = try TestClient(path, export: "plain", tls: Self.alice)
                    for round in 0..<20 {
                        let data = [UInt8].pattern(40_000, seed: UInt64(number * 100 + round + 1))
                        guard try client.write(data, at: number * 65_536).error == 0,
                            try client.ask(.read, offset: number * 65_536, length: 40_000).data == data
                        else { return failures.change { $0 += 1 } }
                    }
                } catch { failures.change { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == 0)
    }

    @Test("a client without TLS is refused where it is required, and served where it is not", arguments: [true, false])
    func plain(required: Bool) throws {
        let house = try TLSHouse(required: required)
        if required {
            #expect(throws: TestClient.Refused.self) { try TestClient(house.path, export: "plain", structured: false) }
        } else {
            #expect(try TestClient(house.path, export: "plain").ask(.read, length: 10).error == 0)
        }
    }

    @Test("a failed handshake is reported, and closes that connection only")
    func failedHandshake() throws {
        let house = try TLSHouse(), good = try TestClient(house.path, export: "plain", tls: Self.alice)
        let stranger = TestTLS.client(certificate: (TestPEM.stranger, key: TestPEM.strangerKey))
        // In TLS 1.3 the client learns only afterwards that it was not let in.
        #expect(throws: (any Error).self) { try TestClient(house.path, export: "plain", tls: stranger) }
        eventually("it is reported") { house.reports.withLock { !$0.isEmpty } }
        #expect(house.reports.withLock { $0.first?.contains("none of the authorities") } == true)
        #expect(try good.ask(.read, length: 10).error == 0)
    }

    @Test("a client that stops in the middle of the handshake is let go after the limit")
    func stalledHandshake() throws {
        let house = try TLSHouse(limit: .milliseconds(50)), stream = try SocketStream(connectedTo: house.path)
        stream.limitWaiting(to: .seconds(20))
        try stream.say(Say.flags() + Say.option(.startTLS))
        #expect(try stream.hear(1000).count == 18 + 20)
        eventually("it is reported") { house.reports.withLock { !$0.isEmpty } }
        #expect(house.reports.withLock { $0.first?.contains("not done within") } == true)
    }

    @Test("options sent along with STARTTLS never count")
    func injection() throws {
        let house = try TLSHouse(), stream = try SocketStream(connectedTo: house.path)
        stream.limitWaiting(to: .seconds(20))
        try stream.say(Say.flags() + Say.option(.startTLS) + Say.option(.structuredReply))
        #expect(try stream.hear(1000).count == 18)
        eventually("it is reported") { house.reports.withLock { !$0.isEmpty } }
        #expect(house.reports.withLock { $0.first?.contains("attacker") } == true)
    }

    @Test("stopping answers what is in flight, then says the end")
    func stop() throws {
        let house = try TLSHouse(), client = try TestClient(house.path, tls: Self.alice)
        try client.request(.read, cookie: 9, length: 4096)
        let gated = house.house.gated, server = house.house.server
        eventually("it waits") { gated.waitingCount == 1 }
        let isDone = ServerTests.start { server.stop(within: .seconds(20)) }
        gated.open()
        #expect(try client.reply().cookie == 9)
        #expect(client.isAtEnd())
        #expect(ServerTests.finishes(isDone))
        // No thread is left that could be stopped: the report says nothing of handshakes.
        #expect(house.reports.withLock { $0 } == [])
    }
}

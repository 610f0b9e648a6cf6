import Blocks
import NBD
import TestSupport
import Testing

@testable import NBD

/// The server over real sockets.
@Suite struct ServerTests {
    /// A server on a socket of its own, with a gated device as `disk` and a plain one as `plain`.
    final class House {
        let scratch: ScratchDirectory
        let server: NBDServer
        let exports: TestExports
        let plain = MemoryDevice(size: .mebibytes(4), limit: .mebibytes(8))
        let gated = GatedDevice(MemoryDevice(size: .mebibytes(4)))
        var path: String { scratch.path + "/s" }

        init(connectionMax: Int = 64, tls: TLSOffer? = nil, report: @escaping @Sendable (String) -> Void = { _ in })
            throws
        {
            scratch = try ScratchDirectory("nbd")
            exports = TestExports(Export(name: "disk", device: gated), Export(name: "plain", device: plain))
            server = NBDServer(exports: exports, connectionMax: connectionMax, report: report)
            try server.listen(unix: path, tls: tls)
        }
        deinit {
            gated.open()
            server.stop()
        }
    }

    /// Runs `body` on another thread; ``Guarded/wait(until:)`` for its end.
    static func start(_ body: @escaping @Sendable () -> Void) -> Guarded<Bool> {
        let isDone = Guarded(false)
        _ = OSThread(name: "test") {
            body()
            isDone.change { $0 = true }
        }
        return isDone
    }
    static func finishes(_ isDone: Guarded<Bool>) -> Bool {
        isDone.wait(atMost: .seconds(120)) { $0 ? () : nil } != nil
    }

    @Test("what is written is read back, with simple and with structured replies", arguments: [true, false])
    func roundTrip(structured: Bool) throws {
        let house = try House(), client = try TestClient(house.path, export: "plain", structured: structured)
        for (offset, count) in [(0, 1), (1, 511), (4095, 4098), (65_536, 131_072), (1 << 20, 2 << 20)] {
            let data = [UInt8].pattern(count, seed: UInt64(offset + 1))
            #expect(try client.write(data, at: offset).error == 0)
            #expect(try client.ask(.read, offset: offset, length: count).data == data)
        }
        #expect(try client.ask(.read, offset: 4 << 20, length: 1).error == 22)
        #expect(try client.ask(.flush).error == 0)
        #expect(house.plain.flushCount == 1)
    }

    @Test("a TCP port serves too, and the system can choose it")
    func tcp() throws {
        let house = try House()
        let port = try house.server.listen(host: "127.0.0.1", port: 0)
        #expect(port != 0)
        #expect(throws: ListenFailure.self) { try house.server.listen(host: "127.0.0.1", port: port) }
    }

    @Test("a socket left behind is replaced, another file is not")
    func leftSocket() throws {
        let scratch = try ScratchDirectory("nbd"), path = scratch.path + "/s"
        do {
            let first = NBDServer(exports: TestExports())
            try first.listen(unix: path)
            first.stop()
        }
        let second = NBDServer(exports: TestExports())
        try second.listen(unix: path)
        second.stop()
        _ = try LocalDisk().open(scratch.path + "/file", .create)
        #expect(throws: ListenFailure.self) { try second.listen(unix: scratch.path + "/file") }
        #expect(throws: ListenFailure.self) { try second.listen(unix: scratch.path + "/no/where") }
        #expect(throws: ListenFailure.self) {
            try second.listen(unix: scratch.path + "/" + String(repeating: "x", count: 200))
        }
    }

    @Test("a read that waits holds up no other request of its connection")
    func slowReadAlone() throws {
        let house = try House(), client = try TestClient(house.path)
        try client.request(.read, cookie: 1, offset: 0, length: 4096)
        for cookie in 2...50 as ClosedRange<UInt64> {
            try client.request(.read, cookie: cookie, offset: 8192, length: 4096)
            #expect(try client.reply().cookie == cookie)
        }
        #expect(try client.write(.pattern(4096), at: 8192).error == 0)
        #expect(try client.ask(.flush).error == 0)
        house.gated.open()
        #expect(try client.reply().cookie == 1)
    }

    @Test("as many waiting reads as a client likes leave flushes and writes a way through")
    func flushPassesReads() throws {
        let house = try House(), client = try TestClient(house.path)
        for cookie in 1...100 as ClosedRange<UInt64> { try client.request(.read, cookie: cookie, length: 4096) }
        eventually("reads wait") { house.gated.waitingCount == 12 }
        #expect(try client.ask(.flush).error == 0)
        #expect(try client.write(.pattern(512), at: 8192, .fua).error == 0)
        house.gated.open()
        var seen: Set<UInt64> = []
        for _ in 1...100 { seen.insert(try client.reply().cookie) }
        #expect(seen == Set(1...100))
    }

    @Test("a write, trim or zero that may wait, and a flush, hold up no other request")
    func slowChange() throws {
        let house = try House(), client = try TestClient(house.path)
        house.gated.letFlushesWait()
        try client.send(Say.write(.pattern(4096), at: 0, cookie: 1))
        try client.send(Say.write(.pattern(65_536), at: 0, cookie: 2))
        try client.request(.trim, cookie: 3, length: 4096)
        try client.request(.writeZeroes, cookie: 4, offset: 100, length: 4096)
        try client.request(.flush, cookie: 5)
        eventually("all wait") { house.gated.waitingCount == 5 }
        #expect(try client.ask(.read, offset: 8192, length: 100).error == 0)
        house.gated.open()
        #expect(Set(try (1...5).map { _ in try client.reply().cookie }) == [1, 2, 3, 4, 5])
    }

    @Test("more requests in flight than are kept are all answered in the end")
    func floods() throws {
        let house = try House(), client = try TestClient(house.path)
        let count = 500
        let isDone = Self.start { [gated = house.gated] in
            eventually("reads wait") { gated.waitingCount == 12 }
            gated.open()
        }
        for cookie in 1...count { try client.request(.read, cookie: UInt64(cookie), length: 512) }
        for cookie in 1...count {
            try client.request(.read, .df, cookie: UInt64(count + cookie), offset: 1 << 20, length: 65_536)
            // Keep up with the answers, or both sides would wait for each other.
            _ = try client.reply()
        }
        for _ in 1...count { _ = try client.reply() }
        #expect(Self.finishes(isDone))
    }

    @Test("closing an export's sessions lets what is in flight finish, and answers it")
    func closeFinishes() throws {
        let house = try House(), client = try TestClient(house.path)
        let other = try TestClient(house.path, export: "plain")
        #expect(house.server.sessionCount(of: "disk") == 1)
        try client.request(.read, cookie: 1, offset: 0, length: 4096)
        eventually("the read waits") { house.gated.waitingCount == 1 }
        house.exports.remove("disk")
        let isDone = Self.start { [server = house.server] in server.closeSessions(of: "disk") }
        #expect(isDone.wait(atMost: .milliseconds(100)) { $0 ? () : nil } == nil, "closed before the read was done")
        house.gated.open()
        #expect(try client.reply().cookie == 1)
        #expect(client.isAtEnd())
        #expect(Self.finishes(isDone))
        #expect(house.server.sessionCount(of: "disk") == 0)
        #expect(house.server.sessionCount(of: "plain") == 1)
        #expect(try other.ask(.read, length: 512).error == 0)
        #expect(throws: TestClient.Refused.self) { try TestClient(house.path) }
    }

    @Test("closing cuts off a client that takes no answers")
    func closeCutsOff() throws {
        let house = try House(), client = try TestClient(house.path, export: "plain")
        _ = try client.write(.pattern(2 << 20), at: 0)
        for cookie in 1...20 as ClosedRange<UInt64> { try client.request(.read, cookie: cookie, length: 2 << 20) }
        let isDone = Self.start { [server = house.server] in
            server.closeSessions(of: "plain", within: .milliseconds(50))
        }
        #expect(Self.finishes(isDone))
        #expect(house.server.sessionCount(of: "plain") == 0)
    }

    @Test("a session that only negotiates counts under every name it asked for, and is closed with it")
    func negotiatingCounts() throws {
        let house = try House()
        let stream = try SocketStream(connectedTo: house.path)
        try (Say.flags() + Say.go("disk", .info)).readBytes { (bytes) throws(StreamFailure) in try stream.send(bytes) }
        eventually("it counts") { house.server.sessionCount(of: "disk") == 1 }
        house.server.closeSessions(of: "disk")
        #expect(house.server.sessionCount(of: "disk") == 0)
    }

    @Test("a client that vanishes in any state hurts nobody", arguments: 0..<6)
    func vanishing(state: Int) throws {
        let house = try House(), other = try TestClient(house.path, export: "plain")
        do {
            switch state {
            case 0: _ = try SocketStream(connectedTo: house.path)
            case 1:
                let stream = try SocketStream(connectedTo: house.path)
                try Say.flags().readBytes { (bytes) throws(StreamFailure) in try stream.send(bytes) }
            case 2: _ = try TestClient(house.path)
            case 3: try TestClient(house.path).request(.read, cookie: 1, length: 4096)
            case 4: try TestClient(house.path).send(Array(Say.write(.pattern(100_000), at: 8192).prefix(50_000)))
            default:
                let client = try TestClient(house.path, export: "plain")
                for cookie in 1...50 as ClosedRange<UInt64> {
                    try client.request(.read, .df, cookie: cookie, length: 100_000)
                }
            }
        }
        if state == 3 { eventually("the read waits") { house.gated.waitingCount == 1 } }
        #expect(try other.ask(.read, length: 512).error == 0)
        house.gated.open()
        eventually("it is gone") {
            house.server.sessionCount(of: "disk") == 0 && house.server.sessionCount(of: "plain") == 1
        }
    }

    @Test("growth is seen by new connections")
    func growth() throws {
        let house = try House(), old = try TestClient(house.path, export: "plain")
        house.plain.grow(to: .mebibytes(8))
        #expect(try old.ask(.read, offset: 5 << 20, length: 512).error == 22)
        let new = try TestClient(house.path, export: "plain")
        #expect(try new.ask(.read, offset: 5 << 20, length: 512).error == 0)
    }

    @Test("connections past the limit are closed, and taken again later")
    func connectionLimit() throws {
        let house = try House(connectionMax: 3)
        let clients = try (0..<3).map { _ in try TestClient(house.path, export: "plain") }
        #expect(throws: (any Error).self) { try TestClient(house.path, export: "plain") }
        try clients[0].request(.disconnect, cookie: 1)
        eventually("there is room") { house.server.sessionCount(of: "plain") == 2 }
        _ = try TestClient(house.path, export: "plain")
        #expect(clients.count == 3)
    }

    @Test("several connections write and read one device at once")
    func manyConnections() throws {
        let house = try House(), path = house.path, failures = Guarded(0)
        let threads = (0..<8).map { number in
            OSThread(name: "client") {
                do {
                    let client = try TestClient(path, export: "plain", structured: number % 2 == 0)
                    for round in 0..<50 {
                        let data = [UInt8].pattern(4096, seed: UInt64(number * 1000 + round + 1))
                        let offset = (round * 8 + number) * 4096
                        guard try client.write(data, at: offset).error == 0,
                            try client.ask(.read, offset: offset, length: 4096).data == data
                        else { throw TestClient.Ended() }
                    }
                } catch { failures.withLock { $0 += 1 } }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == 0)
    }

    @Test("stopping ends every session and listens no more; a new server takes the same socket")
    func stop() throws {
        let house = try House(), clients = try (0..<5).map { _ in try TestClient(house.path, export: "plain") }
        house.server.stop()
        for client in clients { #expect(client.isAtEnd()) }
        #expect(throws: (any Error).self) { try TestClient(house.path) }
        let next = NBDServer(exports: house.exports)
        try next.listen(unix: house.path)
        #expect(try TestClient(house.path, export: "plain").ask(.read, length: 1).error == 0)
        next.stop()
    }

    @Test("a failing device is told with the right error and goes on being served")
    func failingDevice() throws {
        let house = try House()
        house.exports.add(Export(name: "broken", device: BrokenDevice()))
        for structured in [true, false] {
            let client = try TestClient(house.path, export: "broken", structured: structured)
            #expect(try client.ask(.read, length: 512).error == 5)
            #expect(try client.ask(.read, offset: 4096, length: 512).error == 5)
            #expect(try client.write(.pattern(512), at: 0).error == 28)
            #expect(try client.write(.pattern(65_536), at: 0).error == 28)
            #expect(try client.ask(.flush).error == 5)
            #expect(try client.ask(.trim, length: 512).error == 5)
            #expect(try client.ask(.writeZeroes, .fastZero, length: 512).error == 95)
        }
    }
}

/// A device that fails at everything.
final class BrokenDevice: BlockDevice {
    var size: ByteCount { .mebibytes(1) }
    var isReadOnly: Bool { false }
    func read(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) { throw .unavailable }
    func readWithoutWaiting(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) -> Bool {
        if range.start == 0 { return false }
        throw .corrupt(at: range.start)
    }
    func write(_ range: ByteRange, from source: RawSpan, durably: Bool) throws(BlockFailure) { throw .noSpace }
    func zero(_ range: ByteRange, mayPunch: Bool, durably: Bool) throws(BlockFailure) { throw .unsupported }
    func trim(_ range: ByteRange, durably: Bool) throws(BlockFailure) { throw .failed }
    func flush() throws(BlockFailure) { throw .io(errno: 5) }
    func allocation(in range: ByteRange) throws(BlockFailure) -> [Extent] { [Extent(range, isSet: true)] }
}

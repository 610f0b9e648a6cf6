import Blocks
import TestSupport
import Testing

@testable import NBD
@testable import TLS

/// An encrypted stream on bytes in memory, which tests cut, change and hold back.
@Suite struct TLSStreamTests {
    /// Both ends of an encrypted connection.
    struct Pair {
        let pipe: Pipe
        let client: TLSStream
        let server: any ByteStream

        init(pieceMax: Int = .max, newest version: Int32? = nil) throws {
            let folder = try TLSFolder()
            pipe = Pipe(pieceMax: pieceMax)
            let met = TestTLS.meet(try TLSSecurity(try folder.files()), TestTLS.client(newest: version), pipe)
            server = try met.server.get()
            client = try #require(met.client)
        }
    }

    @Test(
        "what goes in comes out, however the network cuts it, in TLS 1.3 and 1.2",
        arguments: [1, 7, 1000, Int.max], [nil, 0x0303] as [Int32?])
    func pieces(pieceMax: Int, version: Int32?) throws {
        let pair = try Pair(pieceMax: pieceMax, newest: version)
        let count = pieceMax < 10 ? 40_000 : 3_000_000
        for (from, to) in [(pair.client as any ByteStream, pair.server), (pair.server, pair.client)] {
            let data = [UInt8].pattern(count)
            try from.say(data)
            let same = try to.hear(count) == data
            #expect(same)
        }
    }

    @Test("one call fills both buffers from many records, and leaves the rest for the next")
    func twoBuffers() throws {
        let pair = try Pair(), data = [UInt8].pattern(100_000)
        try pair.client.say(data)
        var first = [UInt8](repeating: 0, count: 50_000), second = [UInt8](repeating: 0, count: 28)
        let received = try first.writeBytes { (first) throws(StreamFailure) in
            try second.writeBytes { (second) throws(StreamFailure) in
                try pair.server.receive(into: &first, then: &second, wait: false)
            }
        }
        #expect(received == .bytes(50_028))
        // What is left was received from below already: nobody may sleep until more comes.
        try pair.server.waitToReceive(or: Signal())
        let same = try first + second + pair.server.hear(49_972) == data
        #expect(same)
    }

    @Test("part of a record is nothing yet")
    func partialRecord() throws {
        let pair = try Pair()
        try pair.client.say(.pattern(5000))
        let record = pair.pipe.server.intercept()
        for part in [record.prefix(3), record[3..<4000]] {
            pair.pipe.server.deliver(Array(part))
            var byte = [UInt8](repeating: 0, count: 1)
            let received = try byte.writeBytes { (span) throws(StreamFailure) in
                var none = MutableRawSpan()
                return try pair.server.receive(into: &span, then: &none, wait: false)
            }
            #expect(received == .nothingYet)
        }
        pair.pipe.server.deliver(Array(record[4000...]))
        let same = try pair.server.hear(5000) == .pattern(5000)
        #expect(same)
    }

    @Test("close_notify is the end, after all that came before it; the other direction goes on")
    func closeNotify() throws {
        let pair = try Pair()
        try pair.client.say(.pattern(100))
        pair.client.endSending()
        #expect(try pair.server.hear(1000) == .pattern(100))
        try pair.server.say(.pattern(200))
        #expect(try pair.client.hear(200) == .pattern(200))
    }

    @Test("a connection that is cut ends there: no part of an incomplete record comes out, and answers still go")
    func truncation() throws {
        let pair = try Pair()
        try pair.client.say(.pattern(100))
        try pair.client.say(.pattern(5000))
        let records = pair.pipe.server.intercept()
        pair.pipe.server.deliver(records.dropLast(1))
        pair.pipe.server.shutdownReceiving()
        #expect(try pair.server.hear(10_000) == .pattern(100))
        try pair.server.say(.pattern(300))
        #expect(try pair.client.hear(300) == .pattern(300))
    }

    @Test("one changed bit anywhere in a record fails the connection before any of it comes out")
    func tampering() throws {
        for position in [0, 1, 3, 4, 5, 20, 60, 120] {
            let pair = try Pair()
            try pair.client.say(.pattern(100))
            var record = pair.pipe.server.intercept()
            record[position] ^= 1
            pair.pipe.server.deliver(record)
            pair.pipe.server.shutdownReceiving()
            var heard: [UInt8] = []
            do { heard = try pair.server.hear(100) } catch { #expect(error as? StreamFailure == .closed) }
            #expect(heard.isEmpty, "changed at \(position)")
        }
    }

    @Test("records that are replayed or swapped fail the connection")
    func replay() throws {
        let pair = try Pair()
        try pair.client.say(.pattern(100))
        let record = pair.pipe.server.intercept()
        pair.pipe.server.deliver(record + record)
        #expect(try pair.server.hear(100) == .pattern(100))
        #expect(throws: StreamFailure.closed) { try pair.server.hear(1) }
        #expect(throws: StreamFailure.closed) { try pair.server.say([1]) }
    }
}

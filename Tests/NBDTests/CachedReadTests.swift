import Blocks
import TestSupport
import Testing

@testable import NBD

/// Reads that are sent from where they are cached.
@Suite struct CachedReadTests {
    /// Keeps what is sent, and sends what `bytes` holds for a part of the file, or less of it.
    final class PartStream: ByteStream {
        let plain: ScriptedStream
        let bytes: [UInt8]
        let missing: Int
        init(_ script: [UInt8], _ bytes: [UInt8], missing: Int) {
            plain = ScriptedStream([script[...]])
            (self.bytes, self.missing) = (bytes, missing)
        }
        var sendsCachedParts: Bool { true }
        func send(_ part: CachedPart) throws(StreamFailure) -> ByteCount {
            let count = part.count.bytes - missing
            try Array(bytes.prefix(count)).readBytes { (all) throws(StreamFailure) in try plain.send(all) }
            return ByteCount(count)
        }
        func receive(
            into first: inout MutableRawSpan, then second: inout MutableRawSpan, wait: Bool
        ) throws(StreamFailure) -> Received { try plain.receive(into: &first, then: &second, wait: wait) }
        func send(_ bytes: RawSpan) throws(StreamFailure) { try plain.send(bytes) }
        func waitToReceive(or signal: Signal) throws(StreamFailure) {}
        func shutdownReceiving() {}
        func shutdown() {}
        func limitWaiting(to limit: Duration?) {}
    }

    private static let bytes = [UInt8].pattern(100_000)
    private static let script =
        Say.request(.read, cookie: 1, length: 100_000) + Say.request(.read, cookie: 2, length: 100)
        + Say.request(.disconnect, cookie: 3)

    private func replies(missing: Int, structured: Bool = true) throws -> [UInt64: Reply]? {
        let scratch = try ScratchDirectory("cached")
        let file = try LocalDisk().open(scratch.path + "/disk", .createNew)
        try Self.bytes.readBytes { (all) throws(BlockFailure) in try file.write(all, at: 0, durably: false) }
        try file.resize(to: 102_400)
        let device = try FileDevice(scratch.path + "/disk")
        guard device.cachedPart(ByteRange(at: 0, count: 100_000)) != nil else { return nil }
        let agreement = Agreement(
            export: Export(name: "disk", device: device), size: device.size, isReadOnly: false,
            isStructured: structured, contexts: [])
        let stream = PartStream(Self.script, Self.bytes, missing: missing)
        var transmission = Transmission(Session(stream), stream, agreement, [])
        transmission.run()
        return try ReplyParser.all(stream.plain.sent, reads: structured ? [:] : [1: 100_000, 2: 100])
    }

    @Test("a long read is sent in one chunk and ended by another")
    func whole() throws {
        guard let replies = try replies(missing: 0) else { return }
        #expect(replies[1]?.data == Self.bytes)
        #expect(replies[1]?.chunks == [ChunkType.offsetData, ChunkType.none])
        #expect(replies[1]?.error == 0)
        #expect(replies[2]?.data == Array(Self.bytes.prefix(100)))
    }

    @Test("a file that cannot be read to the end fails that read, and the connection goes on")
    func cutShort() throws {
        for missing in [1, 70_000, 100_000] {
            guard let replies = try replies(missing: missing) else { return }
            #expect(replies[1]?.error == NBDError.io.rawValue)
            #expect(replies[1]?.data.count == 100_000)
            #expect(replies[2]?.data == Array(Self.bytes.prefix(100)))
        }
    }

    @Test("a client without structured replies gets what was read before it is told so")
    func simple() throws {
        guard let replies = try replies(missing: 100_000, structured: false) else { return }
        #expect(replies[1]?.data == Self.bytes)
    }
}

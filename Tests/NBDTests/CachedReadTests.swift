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

    /// A file that has its bytes in memory and may fail to read them.
    final class Disk: BlockDevice {
        let file: FileDevice
        let fails: Bool
        init(_ file: FileDevice, fails: Bool) { (self.file, self.fails) = (file, fails) }
        var size: ByteCount { file.size }
        var isReadOnly: Bool { false }
        func cachedPart(_ range: ByteRange) -> CachedPart? { file.cachedPart(range) }
        func read(_ range: ByteRange, into target: inout MutableRawSpan) throws(BlockFailure) {
            if fails, range.end > 1000 { throw .io(errno: 5) }
            try file.read(range, into: &target)
        }
        func write(_ range: ByteRange, from source: RawSpan, durably: Bool) throws(BlockFailure) { throw .failed }
        func zero(_ range: ByteRange, mayPunch: Bool, durably: Bool) throws(BlockFailure) { throw .failed }
        func trim(_ range: ByteRange, durably: Bool) throws(BlockFailure) {}
        func flush() throws(BlockFailure) {}
        func allocation(in range: ByteRange) throws(BlockFailure) -> [Extent] { throw .failed }
    }

    private func replies(missing: Int, fails: Bool = false, structured: Bool = true) throws -> [UInt64: Reply]? {
        let scratch = try ScratchDirectory("cached")
        let file = try LocalDisk().open(scratch.path + "/disk", .createNew)
        try Self.bytes.readBytes { (all) throws(BlockFailure) in try file.write(all, at: 0, durably: false) }
        try file.resize(to: 102_400)
        let device = Disk(try FileDevice(scratch.path + "/disk"), fails: fails)
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

    @Test("what cannot be sent from the cache is read")
    func cutShort() throws {
        for missing in [1, 70_000, 100_000] {
            guard let replies = try replies(missing: missing) else { return }
            #expect(replies[1]?.error == 0)
            #expect(replies[1]?.data == Self.bytes)
            #expect(replies[2]?.data == Array(Self.bytes.prefix(100)))
        }
    }

    @Test("a file that cannot be read to the end fails that read, and the connection goes on")
    func unreadable() throws {
        for missing in [1, 70_000, 100_000] {
            guard let replies = try replies(missing: missing, fails: true) else { return }
            #expect(replies[1]?.error == NBDError.io.rawValue)
            #expect(replies[1]?.chunks == [ChunkType.offsetData, ChunkType.error])
            #expect(replies[1]?.data == Self.bytes.prefix(100_000 - missing) + [UInt8](repeating: 0, count: missing))
            #expect(replies[2]?.data == Array(Self.bytes.prefix(100)))
        }
    }

    @Test("a client without structured replies gets what was read before it is told so")
    func simple() throws {
        guard let replies = try replies(missing: 100_000, structured: false) else { return }
        #expect(replies[1]?.data == Self.bytes)
    }
}

import Blocks
import TestSupport
import Testing

@testable import NBD

/// The transmission phase on prepared bytes, with no socket and no second party.
@Suite struct TransmissionTests {
    static let size = 1 << 20

    struct Outcome {
        var device: MemoryDevice
        var sent: [UInt8]

        var content: [UInt8] {
            var bytes = [UInt8](repeating: 0, count: size)
            bytes.writeBytes { span in try? device.read(ByteRange(at: 0, count: ByteCount(size)), into: &span) }
            return bytes
        }
    }

    static func run(
        _ pieces: [ArraySlice<UInt8>], structured: Bool = true, pauses: Bool = false, readOnly: Bool = false
    ) -> Outcome {
        let device = MemoryDevice(size: ByteCount(size))
        let agreement = Agreement(
            export: Export(name: "disk", device: device), size: device.size, isReadOnly: readOnly,
            isStructured: structured, contexts: structured ? [.allocation, .dirty] : [])
        let stream = ScriptedStream(pieces, pauses: pauses)
        var transmission = Transmission(Session(stream), stream, agreement, [])
        transmission.run()
        return Outcome(device: device, sent: stream.sent)
    }
    static func run(_ script: [UInt8], structured: Bool = true, readOnly: Bool = false) -> Outcome {
        run([script[...]], structured: structured, readOnly: readOnly)
    }

    /// Every command, small and large, good and bad; the good ones overlap nothing.
    static let script: [UInt8] =
        Say.write(.pattern(4096), at: 0, cookie: 1) + Say.request(.read, cookie: 2, offset: 100, length: 3000)
        + Say.write(.pattern(100_000, seed: 2), at: 8192, cookie: 3)
        + Say.request(.read, .df, cookie: 4, offset: 8000, length: 100_500)
        + Say.request(.read, cookie: 5, offset: 600_000, length: 4096) + Say.request(.flush, cookie: 6)
        + Say.request(99, cookie: 7) + Say.write(.pattern(512), at: size, cookie: 8)
        + Say.request(.writeZeroes, .noHole, cookie: 9, offset: 512, length: 100)
        + Say.write([], at: 77, cookie: 10) + Say.request(.read, cookie: 11, offset: 5, length: 0)
        + Say.write(.pattern(600, seed: 3), at: 300_000, .fua, cookie: 12)
        + Say.request(.cache, cookie: 13, length: 9999)
        + Say.request(.blockStatus, .reqOne, cookie: 14, offset: 900_000, length: 4096)
        + Say.request(.trim, cookie: 15, offset: 700_000, length: 50_000) + Say.request(.disconnect, cookie: 16)
    static let reads: [UInt64: Int] = [2: 3000, 4: 100_500, 5: 4096]

    static func expectedContent() -> [UInt8] {
        var content = [UInt8](repeating: 0, count: size)
        content.replaceSubrange(0..<4096, with: [UInt8].pattern(4096))
        content.replaceSubrange(8192..<108_192, with: [UInt8].pattern(100_000, seed: 2))
        content.replaceSubrange(300_000..<300_600, with: [UInt8].pattern(600, seed: 3))
        content.replaceSubrange(512..<612, with: [UInt8](repeating: 0, count: 100))
        return content
    }

    @Test("every command does what it should and is answered once", arguments: [true, false])
    func everyCommand(structured: Bool) throws {
        let outcome = Self.run(Self.script, structured: structured)
        let replies = try ReplyParser.all(outcome.sent, reads: Self.reads)
        var errors: [UInt64: UInt32] = [7: 22, 8: 28]
        if !structured { errors.merge([4: 22, 14: 22]) { $1 } }
        #expect(Set(replies.keys) == Set(1...15))
        for (cookie, reply) in replies { #expect(reply.error == errors[cookie] ?? 0, "cookie \(cookie)") }
        #expect(outcome.content == Self.expectedContent())
        #expect(replies[2]?.data == Array([UInt8].pattern(4096)[100..<3100]))
        #expect(replies[5]?.data == [UInt8](repeating: 0, count: 4096))
        if structured {
            #expect(
                replies[4]?.data == [UInt8](repeating: 0, count: 192) + .pattern(100_000, seed: 2)
                    + [UInt8](
                        repeating: 0, count: 308))
            #expect(replies[5]?.chunks == [ChunkType.offsetHole])
            #expect(replies[11]?.chunks == [ChunkType.none])
            #expect(replies[14]?.status == [1: [[4096, 3]], 2: [[4096, 0]]])
        }
    }

    @Test("where the bytes are split makes no difference", arguments: [true, false])
    func splitAnywhere(pauses: Bool) throws {
        let whole = try ReplyParser.all(Self.run(Self.script).sent, reads: Self.reads)
        let script = Self.script, expected = Self.expectedContent()
        // Every boundary of the small messages, and a spread over the large payload.
        let spread = Array(0..<7300) + stride(from: 7300, to: 104_000, by: 997) + Array(104_000...script.count)
        let places = spread.filter { $0 < 300 || $0 % 5 == 0 || $0 > script.count - 400 }
        for split in places.shuffled().prefix(Seed.share(of: places.count)) where split <= script.count {
            let outcome = Self.run([script[..<split], script[split...]], pauses: pauses)
            #expect(outcome.content == expected, "split at \(split)")
            #expect(try ReplyParser.all(outcome.sent, reads: Self.reads) == whole, "split at \(split)")
        }
    }

    @Test("bytes may come one by one")
    func oneByOne() throws {
        let script = Self.script
        let outcome = Self.run(script.indices.map { script[$0..<$0 + 1] }, pauses: true)
        #expect(outcome.content == Self.expectedContent())
        #expect(try ReplyParser.all(outcome.sent, reads: Self.reads).count == 15)
    }

    @Test("a client that stops in mid-request changes nothing by it", arguments: [1, 27, 28, 29, 1000, 50_000])
    func cutShort(count: Int) throws {
        let write = Say.write(.pattern(60_000), at: 0)
        let outcome = Self.run(Array(write.prefix(count)))
        #expect(outcome.sent.isEmpty)
        #expect(outcome.content.allSatisfy { $0 == 0 })
    }

    @Test("answers to what came before a disconnect or the end are sent", arguments: [true, false])
    func answersBeforeEnd(disconnects: Bool) throws {
        var script: [UInt8] = []
        for cookie in 1...200 as ClosedRange<UInt64> {
            script += Say.request(.cache, cookie: cookie, offset: 0, length: 512)
        }
        if disconnects { script += Say.request(.disconnect) + Say.request(.flush, cookie: 999) }
        let replies = try ReplyParser.all(Self.run(script).sent)
        #expect(Set(replies.keys) == Set(1...200))
    }

    @Test("a wrong magic ends it after the answers so far")
    func wrongMagic() throws {
        let outcome = Self.run(
            Say.request(.read, cookie: 3, offset: 0, length: 512) + [UInt8](repeating: 1, count: 64)
                + Say.write(.pattern(512), at: 0))
        #expect(try ReplyParser.all(outcome.sent).count == 1)
        #expect(outcome.content[0] == 0)
    }

    @Test("a refused write is read past, whatever its length", arguments: [1, 512, 40_000, 300_000, 33 << 20])
    func refusedWrite(length: Int) throws {
        let refused = Say.write([UInt8](repeating: 9, count: length), at: Self.size, cookie: 1)
        let outcome = Self.run(refused + Say.write(.pattern(512), at: 0, cookie: 2))
        let replies = try ReplyParser.all(outcome.sent)
        #expect(replies[1]?.error == 28 && replies[2]?.error == 0)
        #expect(outcome.content[0] != 0)
    }

    @Test("a read-only export keeps what it has")
    func readOnly() throws {
        let outcome = Self.run(Self.script, readOnly: true)
        let replies = try ReplyParser.all(outcome.sent)
        for cookie in [1, 3, 8, 9, 10, 12, 15] as [UInt64] { #expect(replies[cookie]?.error == 1) }
        #expect(outcome.content.allSatisfy { $0 == 0 })
    }

    @Test("block status follows writes, trims and what changed")
    func blockStatus() throws {
        let outcome = Self.run(
            Say.write(.pattern(8192), at: 4096, cookie: 1)
                + Say.request(.writeZeroes, cookie: 2, offset: 8192, length: 4096)
                + Say.request(.blockStatus, cookie: 3, offset: 1000, length: 20_000))
        let reply = try #require(try ReplyParser.all(outcome.sent)[3])
        #expect(reply.status[1] == [[3096, 3], [4096, 0], [12_808, 3]])
        #expect(reply.status[2] == [[3096, 0], [8192, 1], [8712, 0]])
    }

    @Test("the largest payloads pass both ways", arguments: [true, false])
    func largest(structured: Bool) throws {
        let size = Bounds.payloadMax, device = MemoryDevice(size: ByteCount(size))
        let agreement = Agreement(
            export: Export(name: "disk", device: device), size: device.size, isReadOnly: false,
            isStructured: structured, contexts: [])
        let data = [UInt8].pattern(size)
        let script = Say.write(data, at: 0, cookie: 1) + Say.request(.read, cookie: 2, offset: 0, length: size)
        let stream = ScriptedStream([script[...]])
        var transmission = Transmission(Session(stream), stream, agreement, [])
        transmission.run()
        let replies = try ReplyParser.all(stream.sent, reads: [2: size])
        #expect(replies[1]?.error == 0 && replies[2]?.data == data)
    }

    @Test("no bytes can make it trap", arguments: Seed.some(fixed: 10, fresh: 10))
    func hostile(seed: Seed) {
        var random = SplitMix(seed.number)
        let base = Self.script.prefix(7200) + Self.script.suffix(900)
        for _ in 0..<60 {
            var script = Array(base)
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let position = Int.random(in: 0..<script.count, using: &random)
                script[position] = .random(in: 0...255, using: &random)
            }
            _ = Self.run(script)
            // Headers that are right, with anything in them.
            var headers: [UInt8] = []
            for cookie in 1...20 as ClosedRange<UInt64> {
                headers += Say.request(
                    .random(in: 0...9, using: &random), flags: .random(in: 0...31, using: &random), cookie: cookie,
                    offset: .random(in: 0...UInt64(Self.size + 5000), using: &random),
                    length: .random(in: 0...20_000, using: &random))
            }
            _ = Self.run(headers)
        }
    }
}

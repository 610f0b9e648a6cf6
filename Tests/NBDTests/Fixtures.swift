import Blocks
import NBD
import TestSupport
import Testing

@testable import NBD

/// A table that tests change while the server runs.
final class TestExports: ExportTable {
    private let exports: Guarded<[Export]>

    init(_ exports: Export...) { self.exports = Guarded(exports) }

    func export(named name: String) -> Export? {
        exports.withLock { all in all.first { $0.name == name } }
    }
    func listing() -> [ExportListing] {
        exports.withLock { all in all.map { ExportListing(name: $0.name, description: $0.description) } }
    }
    func add(_ export: Export) { exports.withLock { $0.append(export) } }
    func remove(_ name: String) { exports.withLock { $0.removeAll { $0.name == name } } }
}

/// The bytes a client sends while negotiating.
enum Say {
    static func flags(_ flags: UInt32 = 3) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(big: flags)
        return bytes
    }
    static func option(_ code: UInt32, _ data: [UInt8] = []) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(big: Magic.option)
        bytes.append(big: code)
        bytes.append(big: UInt32(data.count))
        return bytes + data
    }
    static func option(_ code: OptionCode, _ data: [UInt8] = []) -> [UInt8] { option(code.rawValue, data) }
    static func counted(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(big: UInt32(text.utf8.count))
        return bytes + Array(text.utf8)
    }
    static func go(_ name: String, asking: [UInt16] = [], _ code: OptionCode = .go) -> [UInt8] {
        var data = counted(name)
        data.append(big: UInt16(asking.count))
        for type in asking { data.append(big: type) }
        return option(code, data)
    }
    static func contexts(_ name: String, _ queries: [String], _ code: OptionCode = .setMetaContext) -> [UInt8] {
        var data = counted(name)
        data.append(big: UInt32(queries.count))
        for query in queries { data += counted(query) }
        return option(code, data)
    }
    static func request(
        _ type: UInt16, flags: UInt16 = 0, cookie: UInt64 = 1, offset: UInt64 = 0, length: UInt32 = 0,
        payload: [UInt8] = []
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(big: Magic.request)
        bytes.append(big: flags)
        bytes.append(big: type)
        bytes.append(big: cookie)
        bytes.append(big: offset)
        bytes.append(big: length)
        return bytes + payload
    }
    static func request(
        _ command: Command, _ flags: CommandFlags = [], cookie: UInt64 = 1, offset: Int = 0, length: Int = 0
    ) -> [UInt8] {
        request(
            command.rawValue, flags: flags.rawValue, cookie: cookie, offset: UInt64(offset), length: UInt32(length))
    }
    static func write(_ payload: [UInt8], at offset: Int, _ flags: CommandFlags = [], cookie: UInt64 = 1) -> [UInt8] {
        request(.write, flags, cookie: cookie, offset: offset, length: payload.count) + payload
    }
}

extension FieldReader {
    struct Truncated: Error {}
    /// The next field, or an error.
    mutating func need<T: FixedWidthInteger & UnsignedInteger>(_ type: T.Type) throws -> T {
        guard let value = integer(type) else { throw Truncated() }
        return value
    }
}

/// One answer to an option.
struct OptionAnswer: Equatable {
    var option: UInt32
    var type: UInt32
    var body: [UInt8]

    /// All answers in `bytes`, which must hold nothing else.
    static func parse(_ bytes: ArraySlice<UInt8>) throws -> [OptionAnswer] {
        var reader = FieldReader(bytes), answers: [OptionAnswer] = []
        while reader.remaining > 0 {
            let magic = try reader.need(UInt64.self)
            try #require(magic == Magic.optionReply)
            let option = try reader.need(UInt32.self), type = try reader.need(UInt32.self)
            let count = Int(try reader.need(UInt32.self))
            let start = bytes.endIndex - reader.remaining
            try #require(count <= reader.remaining)
            answers.append(OptionAnswer(option: option, type: type, body: Array(bytes[start..<start + count])))
            for _ in 0..<count { _ = reader.integer(UInt8.self) }
        }
        return answers
    }
}

/// One answer to a request, its chunks put together.
struct Reply: Equatable {
    var error: UInt32 = 0
    /// What a read brought; holes as zeros.
    var data: [UInt8] = []
    /// Context id -> (length, state) pairs.
    var status: [UInt32: [[UInt32]]] = [:]
    var chunks: [UInt16] = []
}

/// Takes replies apart.
enum ReplyParser {
    /// The first whole reply or chunk in `bytes`: its cookie, how many bytes it took, whether it was the last one.
    /// `reads`: the length of the data that a successful simple reply carries, by cookie.
    static func next(
        _ bytes: ArraySlice<UInt8>, reads: [UInt64: Int], into replies: inout [UInt64: Reply]
    ) throws -> (cookie: UInt64, used: Int, isLast: Bool)? {
        var reader = FieldReader(bytes)
        guard bytes.count >= 16, let magic = reader.integer(UInt32.self) else { return nil }
        if magic == Magic.simpleReply {
            let error = try reader.need(UInt32.self), cookie = try reader.need(UInt64.self)
            let count = error == 0 ? reads[cookie] ?? 0 : 0
            guard bytes.count >= 16 + count else { return nil }
            let start = bytes.startIndex + 16
            replies[cookie] = Reply(error: error, data: Array(bytes[start..<start + count]))
            return (cookie, 16 + count, true)
        }
        try #require(magic == Magic.structuredReply)
        guard bytes.count >= 20 else { return nil }
        let flags = try reader.need(UInt16.self), type = try reader.need(UInt16.self)
        let cookie = try reader.need(UInt64.self)
        let count = Int(try reader.need(UInt32.self))
        guard reader.remaining >= count else { return nil }
        var reply = replies[cookie] ?? Reply()
        reply.chunks.append(type)
        switch type {
        case ChunkType.offsetData:
            _ = reader.integer(UInt64.self)
            let start = bytes.startIndex + 28
            reply.data += bytes[start..<start + count - 8]
        case ChunkType.offsetHole:
            _ = reader.integer(UInt64.self)
            let hole = try reader.need(UInt32.self)
            reply.data += [UInt8](repeating: 0, count: Int(hole))
        case ChunkType.error:
            reply.error = try reader.need(UInt32.self)
            let text = Int(try reader.need(UInt16.self))
            try #require(count == 6 + text)
        case ChunkType.blockStatus:
            let context = try reader.need(UInt32.self)
            try #require(count >= 12 && count % 8 == 4)
            for _ in 0..<count / 8 {
                let length = try reader.need(UInt32.self), state = try reader.need(UInt32.self)
                reply.status[context, default: []].append([length, state])
            }
        default: try #require(type == ChunkType.none && count == 0)
        }
        replies[cookie] = reply
        return (cookie, 20 + count, flags & ChunkType.done != 0)
    }

    /// All replies in `bytes`, by cookie. Nothing may be left over, and each must have ended exactly once.
    static func all(_ bytes: [UInt8], reads: [UInt64: Int] = [:]) throws -> [UInt64: Reply] {
        var replies: [UInt64: Reply] = [:], ended: Set<UInt64> = [], rest = bytes[...]
        while let (cookie, used, isLast) = try next(rest, reads: reads, into: &replies) {
            rest = rest.dropFirst(used)
            if isLast { #expect(ended.insert(cookie).inserted, "cookie \(cookie) was answered twice") }
        }
        #expect(rest.isEmpty, "part of a reply")
        #expect(ended == Set(replies.keys), "a reply without end")
        return replies
    }
}

/// A connection that is only bytes: brings prepared pieces, keeps what is sent.
final class ScriptedStream: ByteStream {
    private struct State {
        var pieces: [ArraySlice<UInt8>]
        var sent: [UInt8] = []
        var hasPaused = false
    }
    private let state: Guarded<State>
    private let pauses: Bool

    /// `pauses`: whoever does not want to wait finds nothing, once before each piece.
    init(_ pieces: [ArraySlice<UInt8>], pauses: Bool = false) {
        state = Guarded(State(pieces: pieces.filter { !$0.isEmpty }))
        self.pauses = pauses
    }

    var sent: [UInt8] { state.withLock { $0.sent } }

    func receive(
        into first: inout MutableRawSpan, then second: inout MutableRawSpan, wait: Bool
    ) throws(StreamFailure) -> Received {
        let room = first.byteCount + second.byteCount
        let (piece, isPause) = state.withLock { state -> (ArraySlice<UInt8>, Bool) in
            if pauses, !wait, !state.hasPaused, !state.pieces.isEmpty {
                state.hasPaused = true
                return ([], true)
            }
            state.hasPaused = false
            guard let piece = state.pieces.first else { return ([], false) }
            let taken = piece.prefix(room)
            state.pieces[0] = piece.dropFirst(taken.count)
            if state.pieces[0].isEmpty { state.pieces.removeFirst() }
            return (taken, false)
        }
        if isPause { return .nothingYet }
        guard !piece.isEmpty else { return .end }
        let split = min(first.byteCount, piece.count)
        Array(piece.prefix(split)).readBytes { first.copy($0) }
        Array(piece.dropFirst(split)).readBytes { second.copy($0) }
        return .bytes(piece.count)
    }
    func send(_ bytes: RawSpan) throws(StreamFailure) {
        let copy = (0..<bytes.byteCount).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        state.withLock { $0.sent += copy }
    }
    func waitToReceive(or signal: Signal) throws(StreamFailure) {}
    func shutdownReceiving() {}
    func shutdown() {}
    func limitWaiting(to limit: Duration?) {}
}

extension [UInt8] {
    /// The same bytes for the same seed, none of them all zeros in a block.
    static func pattern(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 40) | 1
        }
    }
}

/// Waits until `condition` holds; an issue when it does not within two minutes, which only a stuck one takes.
func eventually(_ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool) {
    let clock = SystemClock(), start = clock.uptime()
    while !condition() {
        if clock.uptime() - start > .seconds(120) {
            Issue.record("gave up waiting until \(what)", sourceLocation: sourceLocation)
            return
        }
        clock.sleep(.milliseconds(1))
    }
}
